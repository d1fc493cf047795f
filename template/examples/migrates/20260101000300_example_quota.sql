-- migrate:up
CREATE TABLE quotas (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       text NOT NULL CONSTRAINT quotas_user_id_length CHECK (char_length(user_id) BETWEEN 1 AND 200),
    resource      text NOT NULL CONSTRAINT quotas_resource_length CHECK (char_length(resource) BETWEEN 1 AND 100),
    period        text NOT NULL
                  CONSTRAINT quotas_period_known CHECK (period IN ('none', 'minute', 'hour', 'day', 'month')),
    "limit"       bigint NOT NULL,
    used          bigint NOT NULL DEFAULT 0,
    -- The limit may be lowered below what is used already, so "used <= limit" is no rule of the table. What is used
    -- never exceeds the highest limit that there was; a statement that forgot to compare fails on this.
    highest_limit bigint NOT NULL,
    -- When the period of "used" ends. Nothing happens at that time: the next statement sees that it has passed.
    resets_at     timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT quotas_user_resource_period_is_unique UNIQUE (user_id, resource, period),
    CONSTRAINT quotas_limit_not_negative CHECK ("limit" BETWEEN 0 AND highest_limit),
    CONSTRAINT quotas_used_within_limit CHECK (used BETWEEN 0 AND highest_limit),
    CONSTRAINT quotas_period_resets CHECK ((resets_at IS NULL) = (period = 'none'))
);

CREATE INDEX quotas_by_created_at ON quotas (created_at, id);
CREATE INDEX quotas_by_user_id ON quotas (user_id, id);

-- The end of the calendar period in UTC that holds a point in time; NULL if the period is none. The arithmetic is done
-- without a time zone: "+ interval '1 month'" would otherwise follow the time zone of the session.
CREATE FUNCTION quota_resets_at(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN period <> 'none'
        THEN (date_trunc(period, at AT TIME ZONE 'UTC') + ('1 ' || period)::interval) AT TIME ZONE 'UTC'
    END
$$;

-- The quotas as they are now: where the period has passed, nothing is used and the next period runs.
CREATE VIEW quotas_now AS
SELECT id, user_id, resource, period, "limit",
       CASE WHEN resets_at <= now() THEN 0 ELSE used END AS used,
       greatest(resets_at, quota_resets_at(period, now())) AS resets_at,
       created_at, updated_at
FROM quotas;

-- Who changed what. No foreign key: the changes outlive the quota.
CREATE TABLE quota_changes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quota_id     uuid NOT NULL,
    user_id      text NOT NULL,
    resource     text NOT NULL,
    action       text NOT NULL CONSTRAINT quota_changes_action_known
                 CHECK (action IN ('define', 'consume', 'release', 'change_limit', 'remove')),
    limit_before bigint,
    limit_after  bigint,
    used_before  bigint,
    used_after   bigint,
    changed_by   text,
    request_id   text NOT NULL,
    changed_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX quota_changes_by_quota ON quota_changes (quota_id, id);

-- migrate:down
DROP TABLE quota_changes;
DROP VIEW quotas_now;
DROP FUNCTION quota_resets_at(text, timestamptz);
DROP TABLE quotas;
