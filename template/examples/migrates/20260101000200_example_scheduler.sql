-- migrate:up

-- What shall run, and when. A schedule says which Dagster job; what came of each time is in schedule_runs.
CREATE TABLE schedules (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                text NOT NULL CONSTRAINT schedules_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    cron                text NOT NULL CONSTRAINT schedules_cron_has_five_fields CHECK (cron ~ '^(\S+ ){4}\S+$'),
    time_zone           text NOT NULL,
    enabled             boolean NOT NULL,
    repository_location text NOT NULL,
    repository          text NOT NULL,
    job                 text NOT NULL,
    run_config          jsonb NOT NULL,
    tags                jsonb NOT NULL,
    max_attempts        integer NOT NULL CONSTRAINT schedules_max_attempts_range CHECK (max_attempts BETWEEN 1 AND 20),
    timeout_seconds     integer NOT NULL CONSTRAINT schedules_timeout_positive CHECK (timeout_seconds > 0),
    next_at             timestamptz, -- the next planned time; NULL: there is none
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schedules_name_is_unique UNIQUE (name),
    CONSTRAINT schedules_disabled_plans_nothing CHECK (enabled OR next_at IS NULL)
);

CREATE INDEX schedules_by_created_at ON schedules (created_at, id);
CREATE INDEX schedules_by_name ON schedules (name, id);
CREATE INDEX schedules_due ON schedules (next_at);

-- One row per planned time (tick), or per run by hand (tick IS NULL). The states, and who moves a run from one to the next:
--
--   queued     it waits until run_at
--     -> leased     a tick takes it: attempts and epoch grow by one, nobody else may take it before lease_until
--   leased     a tick is handing it to Dagster
--     -> launched   Dagster has it: dagster_run_id is known
--     -> queued     no answer, or not a good one: again at run_at, later each time
--     -> queued     Dagster is away: again at run_at, soon, and attempts shrinks by one again
--     -> leased     lease_until has passed without a word: the next tick takes it over
--     -> dead       Dagster will never take it, or max_attempts are used up: last_error says why
--   launched   Dagster runs it; each tick asks how it stands (dagster_status)
--     -> succeeded, failed, canceled    what Dagster says, or timeout_seconds are over (failed)
--     -> dead       Dagster does not know it any more
--   dead       it waits for a person
--     -> queued     redrive: attempts start at zero again
--
-- succeeded, failed and canceled are final. Only the holder of the epoch may move a leased or launched run: whoever took
-- longer than the lease finds another epoch, and changes nothing.
CREATE TABLE schedule_runs (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- also a tag of the run in Dagster
    schedule_id    uuid NOT NULL
                   CONSTRAINT schedule_runs_have_a_schedule REFERENCES schedules (id) ON DELETE CASCADE,
    tick           timestamptz,
    state          text NOT NULL DEFAULT 'queued' CONSTRAINT schedule_runs_state_known CHECK (
                       state IN ('queued', 'leased', 'launched', 'succeeded', 'failed', 'canceled', 'dead')),
    attempts       integer NOT NULL DEFAULT 0, -- since it was planned or redriven; not those when Dagster was away
    epoch          integer NOT NULL DEFAULT 0, -- how often it was leased; never goes back
    run_at         timestamptz NOT NULL DEFAULT now(),
    lease_until    timestamptz,
    dagster_run_id text,
    dagster_status text,
    last_error     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    launched_at    timestamptz,
    checked_at     timestamptz, -- when Dagster was last asked about it
    finished_at    timestamptz,
    CONSTRAINT schedule_runs_once_per_tick UNIQUE (schedule_id, tick),
    CONSTRAINT schedule_runs_lease_has_an_end CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CONSTRAINT schedule_runs_launched_is_known CHECK (
        state NOT IN ('launched', 'succeeded', 'failed', 'canceled') OR dagster_run_id IS NOT NULL),
    CONSTRAINT schedule_runs_dead_has_a_reason CHECK (state <> 'dead' OR last_error IS NOT NULL),
    CONSTRAINT schedule_runs_final_has_an_end CHECK (
        (state IN ('succeeded', 'failed', 'canceled', 'dead')) = (finished_at IS NOT NULL))
);

-- For lists, newest first: all, those of a schedule, those in a state.
CREATE INDEX schedule_runs_by_created_at ON schedule_runs (created_at, id);
CREATE INDEX schedule_runs_of_schedule ON schedule_runs (schedule_id, created_at, id);
CREATE INDEX schedule_runs_in_state ON schedule_runs (state, created_at, id);

-- For the tick. Finished runs, the bulk of the table, are in neither.
CREATE INDEX schedule_runs_to_launch ON schedule_runs (run_at) WHERE state IN ('queued', 'leased');
CREATE INDEX schedule_runs_to_follow ON schedule_runs (checked_at NULLS FIRST) WHERE state = 'launched';

-- migrate:down
DROP TABLE schedule_runs;
DROP TABLE schedules;
