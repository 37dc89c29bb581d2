-- Whether the application's own code was to be asked about an upload when it began: a process without that code, such as a
-- worker that was not told of the application, does not complete it.
ALTER TABLE upload_sessions ADD asks_application boolean NOT NULL DEFAULT false;
