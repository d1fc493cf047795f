"""A command for a cluster passes if the recorded program would take it as it is typed, and only then."""

from __future__ import annotations

import pytest

from tools.contracts import ContractError, check, words_of


@pytest.mark.parametrize(
    "line",
    [
        "fission spec apply --wait --specdir specs  # all of them",
        "fission function test --name=orders-health --namespace dev -H 'X-User: ada; admin'",
        "kubectl get pods -n dev",
        "kubectl get job.batch/orders-x7k2p -n dev -o 'jsonpath={.status.conditions[*].type}'",
        "kubectl create -n dev \\\n  -f manifests/migrate-job.yaml",
        "kubectl create namespace dev",
        "kubectl create secret generic orders-vault -n dev --from-file=VAULT_KEY=.kit/dev.key",
        "kubectl port-forward -n databases service/postgres 5432:5432",
        "kubectl logs job.batch/orders-x7k2p -n dev",
        "docker build -f manifests/migrate.Dockerfile -t registry.example.com/orders:1 .",
    ],
)
def test_a_command_that_the_program_takes_passes(line: str) -> None:
    check(words_of(line))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("kubectl get pods && fission spec aply", r"'&&' joins commands"),
        ("kubectl get pods; rm x", r"';' joins commands"),
        ("kubectl get pods | wc", r"'\|' joins commands"),
        ("kubectl get pods\nrm x", r"'\\n' joins commands"),
        ("kubectl get pods -n $(whoami)", r"joins commands"),
        ("fission spec aply", "no contract is recorded for 'fission spec aply'"),
        ("kubectl create secrt generic", "kubectl create does not take 'secrt generic'"),
        ("kubectl get podz", "kubectl get does not take 'podz'"),
        ("kubectl create secret generic -n dev", "generic does not take 'no further word'"),
        ("fission spec apply now", "fission spec apply does not take 'now'"),
        ("fission spec apply --wait=yes", "fission spec apply --wait takes no value"),
        ("fission spec apply --specdir=", "--specdir needs a value, and '' is none"),
        ("fission spec apply --specdir --wait", "--specdir needs a value, and '--wait' is none"),
        ("fission function test --namespace dev", "fission function test needs --name"),
        ("kubectl apply -n dev", "kubectl apply needs -f or --filename"),
        ("kubectl get pods -n <stage>", "needs a value, and '<stage>' is none"),
        ("kubectl logs <pod>", "'<pod>' looks like a placeholder"),
        ("kubectl get 'pods", "No closing quotation"),
    ],
)
def test_a_command_that_the_program_refuses_is_refused_with_the_reason(line: str, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        check(words_of(line))
