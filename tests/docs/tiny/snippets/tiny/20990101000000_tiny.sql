-- migrate:up
CREATE TABLE tiny (id integer PRIMARY KEY);

-- migrate:down
DROP TABLE tiny;
