import json


def test_every_line_of_a_request_carries_its_id(client, capfd):
    client.get("/health", headers={"X-Fission-Request-Id": "4f1c2b7a"})
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["fission.request.id"] for line in lines] == ["4f1c2b7a"] * len(lines) != []
