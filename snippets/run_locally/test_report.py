def test_it_knows_its_timer(client):
    assert client.timer("nightly").json["timer"] == "your-service-report-nightly"


def test_a_message_arrives(client):
    answer = client.message("orders", {"id": 7})
    assert answer.json["topic"] == "orders"
    assert answer.json["body"] == '{"id": 7}'
