-- migrate:up
CREATE TABLE webhook_inbox (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source      text NOT NULL,
    event_id    text NOT NULL,
    event_type  text NOT NULL,
    headers     jsonb NOT NULL,   -- only those that help an operator, never a signature or a credential
    body        bytea NOT NULL,   -- the bytes that were signed; jsonb would change blanks, numbers and repeated keys
    state       text NOT NULL DEFAULT 'received'
                CONSTRAINT webhook_inbox_state_known CHECK (state IN ('received', 'done', 'dead')),
    attempts    integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    last_error  text,
    received_at timestamptz NOT NULL DEFAULT now(),
    done_at     timestamptz,
    CONSTRAINT webhook_inbox_event_is_unique UNIQUE (source, event_id),
    CONSTRAINT webhook_inbox_done_has_a_time CHECK ((state = 'done') = (done_at IS NOT NULL))
);

-- What waits, in the order in which it is worked off; done rows cost nothing here.
CREATE INDEX webhook_inbox_by_due_at ON webhook_inbox (due_at, id) WHERE state = 'received';
-- What may be removed.
CREATE INDEX webhook_inbox_by_done_at ON webhook_inbox (done_at) WHERE state = 'done';
-- One index per sort key of the list, with the primary key behind it.
CREATE INDEX webhook_inbox_by_received_at ON webhook_inbox (received_at, id);
-- What an operator looks for: few among many, which the index above would find only by reading all of them.
CREATE INDEX webhook_inbox_dead ON webhook_inbox (received_at, id) WHERE state = 'dead';

-- The effect of the example; replace it together with apply_event().
CREATE TABLE webhook_events (
    source     text NOT NULL,
    event_type text NOT NULL
               CONSTRAINT webhook_events_type_is_a_name CHECK (event_type ~ '^[A-Za-z0-9_.-]{1,100}$'),
    number     bigint NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (source, event_type)
);

-- migrate:down
DROP TABLE webhook_events;
DROP TABLE webhook_inbox;
