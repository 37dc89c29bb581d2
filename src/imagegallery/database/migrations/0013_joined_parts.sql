-- What a file that went up in parts was joined of, for a client that never heard of it.

-- By number: the parts are 1, 2, 3 and so on. NULL until they are joined.
ALTER TABLE upload_sessions
    ADD joined_etags text[],
    ADD joined_sizes bigint[],
    ADD CHECK ((joined_etags IS NULL) = (joined_sizes IS NULL)),
    ADD CHECK (cardinality(joined_etags) = cardinality(joined_sizes));
