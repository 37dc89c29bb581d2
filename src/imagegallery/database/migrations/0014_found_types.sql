-- What an uploaded file turned out to be, where that is not what its client declared; content_type stays as declared.
ALTER TABLE upload_sessions ADD found_type text;
