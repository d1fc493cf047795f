# The image of the migration Job. Build it in the project's root:
#   docker build -f manifests/migrate.Dockerfile -t registry.example.com/your-service-migrate:1 .
FROM python:3.13-slim
WORKDIR /app
COPY manifests/migrate-requirements.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r migrate-requirements.txt
COPY .fission ./.fission
COPY kit ./kit
COPY src ./src
COPY migrates ./migrates
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001
CMD ["python", "-m", "kit", "migrate", "up"]
