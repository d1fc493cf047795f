"""Three jobs for the real Dagster: one succeeds, one fails, one takes as long as its run configuration says."""

import time

import dagster as dg


@dg.op
def writes(context: dg.OpExecutionContext) -> None:
    context.log.info("the report is written")


@dg.op
def breaks() -> None:
    raise RuntimeError("the source is empty")


@dg.op(config_schema={"seconds": float})
def waits(context: dg.OpExecutionContext) -> None:
    time.sleep(context.op_config["seconds"])


@dg.job(executor_def=dg.in_process_executor)
def nightly_report() -> None:
    writes()


@dg.job(executor_def=dg.in_process_executor)
def broken_report() -> None:
    breaks()


@dg.job(executor_def=dg.in_process_executor)
def slow_report() -> None:
    waits()


defs = dg.Definitions(jobs=[nightly_report, broken_report, slow_report])
