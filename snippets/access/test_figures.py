import pytest


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}])
def test_without_the_key_nothing_is_told(client, pod, sent):
    pod.set_secret("CALLER_KEY", "try-me")
    answer = client.get("/figures", headers=sent)
    assert (answer.status_code, answer.json["error_code"]) == (401, "UNAUTHENTICATED")


def test_with_the_key_the_figures_are(client, pod):
    pod.set_secret("CALLER_KEY", "try-me")
    assert client.get("/figures", headers={"Authorization": "Bearer try-me"}).json == {"orders": 3}
