-- What visits to a share's link are signed with: a random key, made anew where every visit has to end.
ALTER TABLE shares ADD COLUMN visit_key bytea NOT NULL
    DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    CHECK (octet_length(visit_key) = 32);

-- With what the addresses of a day's visitors are hashed, in every process alike. It is deleted after that day, and is
-- in no log or replica of the server: then nobody can tell an address by its hash any more, not even we.
CREATE UNLOGGED TABLE share_salts (
    day  date PRIMARY KEY,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32)
);

CREATE INDEX share_accesses_by_day ON share_accesses (day);
