"""Writes ``reference/protocols.md`` from the list of rules: ``python docs/protocols_page.py [--check]``.

Every MUST and SHOULD that the two protocols put on a server, in our words, with the test that holds it; or the reason
why there is none. ``tests/documentation/test_protocols.py`` sees to it that the tests are there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import made_page

PAGE = Path(__file__).with_name("reference") / "protocols.md"
HEAD = """# Protocols of resumable uploads, rule by rule

What tus 1.0.0 and the IETF draft (draft-ietf-httpbis-resumable-upload, interop version 8) demand of a server, by their
sections, and the test that holds it. What they demand of clients is left out. How it is done is told in [Resumable
uploads](../explanation/resumable.md). This page is made from a list by `python docs/protocols_page.py`.
"""

TUS, IETF = "tests/asgi/resumable/test_tus.py::test_", "tests/asgi/resumable/test_ietf_uploads.py::test_"
TUS_CREATION, TUS_EXTENSIONS = (
    "tests/asgi/resumable/test_tus_creation.py::test_",
    "tests/asgi/resumable/test_tus_extensions.py::test_",
)
REFUSALS = "tests/uploads/resumable/test_refusals.py::test_"
JOINING = "tests/uploads/resumable/test_concatenation.py::test_"
RULES = "tests/uploads/resumable/test_resumable.py::test_"
BREAKS = "tests/asgi/resumable/test_resumable_interruptions.py::test_"
STRUCTURED, PARSING = (
    "tests/asgi/resumable/test_structured.py::test_",
    "tests/asgi/resumable/test_tus_parsing.py::test_",
)
NO_104 = "not possible: ASGI cannot send interim answers"
BY_KEY = (
    "`test_repeated_creation.py`: of a whole file that broke off what came is kept, for who sent an `Idempotency-Key`"
)


class Rule(NamedTuple):
    section: str
    level: str
    says: str
    held_by: str


def _rules(section: str, *rules: tuple[str, str, str]) -> list[Rule]:
    return [Rule(section, *rule) for rule in rules]


OPTIONS = TUS + "options_tell_what_is_offered_whatever_the_version"
PIECES = TUS + "an_upload_in_pieces_becomes_an_image"
LENGTHS = TUS_CREATION + "a_length_that_makes_no_sense_is_refused"
METADATA = TUS_CREATION + "altered_metadata_is_refused"
FIRST_BYTES = TUS_CREATION + "the_first_bytes_may_come_at_once"
LATE_LENGTH = TUS_CREATION + "the_length_may_come_with_a_later_patch_and_then_stays"
EXPIRES = TUS_EXTENSIONS + "the_end_of_its_time_is_told"
HEAD_TELLS = TUS + "head_tells_the_offset_also_at_the_start_and_at_the_end"
BAD_CHECKSUM = TUS_EXTENSIONS + "a_checksum_that_cannot_be_checked_is_refused"
CHECKSUM = TUS_EXTENSIONS + "a_piece_with_its_checksum_is_kept_and_with_another_not"
TERMINATED = TUS_EXTENSIONS + "a_terminated_upload_is_gone"
CONCATENATED = TUS_EXTENSIONS + "partial_uploads_become_one_image"
BROKEN = BREAKS + "what_came_before_a_broken_connection_is_kept"

TUS_RULES: Sequence[Rule] = (
    *_rules(
        "Upload-Offset, Upload-Length",
        ("MUST", "The offset is a non-negative integer", TUS + "an_offset_that_is_no_number_is_refused"),
        ("MUST", "The length is a non-negative integer", LENGTHS),
    ),
    *_rules(
        "Tus-Version",
        ("MUST", "A list, the most preferred version first", OPTIONS),
    ),
    *_rules(
        "Tus-Resumable",
        ("MUST", "In every answer but to OPTIONS, with the version", TUS + "every_answer_names_the_version"),
        ("MUST", "412 with Tus-Version for another version", TUS + "another_version_is_refused_and_nothing_done"),
        ("MUST NOT", "process such a request", TUS + "another_version_is_refused_and_nothing_done"),
    ),
    *_rules(
        "Tus-Extension, Tus-Max-Size",
        ("MUST", "The extensions, as a list", OPTIONS),
        ("MUST", "The maximum is a non-negative integer", OPTIONS),
        ("SHOULD", "Tell the maximum if there is one", OPTIONS),
    ),
    *_rules(
        "X-HTTP-Method-Override",
        ("MUST", "Counts as the method; the actual one is ignored", TUS + "a_method_in_disguise_counts"),
    ),
    *_rules(
        "HEAD",
        (
            "MUST",
            "Always the offset, 0 and completed included",
            HEAD_TELLS,
        ),
        ("MUST", "The length if it is known", PIECES),
        ("SHOULD", "404, 410 or 403 without an offset if there is none", TUS + "head_of_nothing_has_no_offset"),
        ("SHOULD", "200 or 204 on success", HEAD_TELLS),
        ("MUST", "Cache-Control: no-store", TUS + "head_is_not_cached"),
    ),
    *_rules(
        "PATCH",
        ("SHOULD", "Take bytes for any upload, at their offset", PIECES),
        ("SHOULD", "415 for another media type", TUS + "a_patch_of_another_type_is_refused"),
        ("MUST", "409 for another offset, nothing modified", TUS + "another_offset_is_a_conflict_and_changes_nothing"),
        ("MUST", "204 on success", PIECES),
        ("MUST", "Answer the new offset: the old one and the bytes that came", PIECES),
        ("SHOULD", "404 for an upload that is not there", TUS + "head_of_nothing_has_no_offset"),
        ("SHOULD", "Detect and handle network errors", BROKEN),
        ("SHOULD", "Store as much as possible of what came", BROKEN),
        ("SHOULD", "Close the connection at a time-out", "left to the HTTP server and to proxies in front of it"),
    ),
    *_rules(
        "OPTIONS",
        ("MUST", "204 or 200 with Tus-Version", OPTIONS),
        ("MUST", "Ignore Tus-Resumable", OPTIONS),
    ),
    *_rules(
        "Creation",
        ("SHOULD", "Implement it", TUS_CREATION + "a_new_upload_has_an_address_of_its_own"),
        ("MUST", "Announce creation", OPTIONS),
        ("MUST", "Upload-Defer-Length is 1", LENGTHS),
        ("MUST", "Omit Upload-Defer-Length if the length is not deferred", LATE_LENGTH),
        ("MUST", "Upload-Metadata: pairs of a key and Base64, keys unique and not empty", METADATA),
        ("MUST", "Upload-Metadata is read as it is written", PARSING + "metadata_is_read_as_it_is_written"),
        ("SHOULD", "Validate and sanitize metadata", TUS_CREATION + "a_path_in_a_filename_is_cleaned"),
        ("MUST", "A length, or that it is deferred", LENGTHS),
        ("SHOULD", "400 for another Upload-Defer-Length", LENGTHS),
        ("MUST", "HEAD repeats that the length is deferred", LATE_LENGTH),
        ("MUST NOT", "change a length once it is set", LATE_LENGTH),
        ("MUST", "Announce creation-defer-length", OPTIONS),
        ("MUST", "HEAD repeats the metadata as it was given", TUS_CREATION + "metadata_is_told_again_to_the_letter"),
        ("MUST", "413 beyond the maximum", TUS_CREATION + "more_than_the_maximum_is_refused"),
        ("MUST", "201 on success", TUS_CREATION + "a_new_upload_has_an_address_of_its_own"),
        ("MUST", "Location is the upload's URL", TUS_CREATION + "a_new_upload_has_an_address_of_its_own"),
    ),
    *_rules(
        "Creation With Upload",
        ("MUST", "Announce creation-with-upload, not without creation", OPTIONS),
        ("SHOULD", "Accept as many bytes as possible", FIRST_BYTES),
        ("MUST", "Answer the offset after them", FIRST_BYTES),
        ("MUST", "The content type of uploads", TUS_CREATION + "first_bytes_of_another_type_are_refused"),
    ),
    *_rules(
        "Expiration",
        ("MUST", "Announce expiration", OPTIONS),
        ("MUST", "Upload-Expires with every PATCH", EXPIRES),
        ("MUST", "Upload-Expires with POST if it is known", EXPIRES),
        ("MUST", "A date as in RFC 9110", EXPIRES),
        (
            "SHOULD",
            "404 or 410 afterwards; 410 if expired uploads are tracked",
            TUS_EXTENSIONS + "an_expired_upload_is_gone",
        ),
    ),
    *_rules(
        "Checksum",
        ("MUST", "Announce checksum", OPTIONS),
        ("MUST", "Verify the piece when it has all come", CHECKSUM),
        ("MUST", "Discard a piece that does not match, or whose algorithm is unknown", CHECKSUM),
        ("MUST NOT", "move the offset then", BAD_CHECKSUM),
        ("MUST", "Support SHA-1", CHECKSUM),
        (
            "MUST",
            "Names of algorithms are ASCII without capitals",
            BAD_CHECKSUM,
        ),
        ("MUST", "Tus-Checksum-Algorithm with OPTIONS, a list", OPTIONS),
        ("MUST", "Upload-Checksum: algorithm, space, Base64", PARSING + "a_checksum_is_its_algorithm_and_digest"),
        ("MUST", "Announce checksum-trailer if trailers are handled", "not offered: they are not handled"),
    ),
    *_rules(
        "Termination",
        ("MUST", "Announce termination", OPTIONS),
        ("SHOULD", "Free what the upload holds", RULES + "a_cancelled_upload_leaves_nothing"),
        ("MUST", "204", TERMINATED),
        ("SHOULD", "404 or 410 afterwards", TERMINATED),
        (
            "SHOULD",
            "The same for a completed upload, whose image stays",
            TUS_EXTENSIONS + "terminating_a_completed_upload_leaves_its_image",
        ),
    ),
    *_rules(
        "Concatenation",
        ("MUST", "Announce concatenation", OPTIONS),
        ("SHOULD NOT", "process partial uploads", JOINING + "a_partial_upload_becomes_no_image_by_itself"),
        ("MUST", "The length is the sum of the parts'", CONCATENATED),
        ("MUST", "In the order of the list", CONCATENATED),
        (
            "MUST",
            "final; and URLs, without Upload-Length",
            TUS_EXTENSIONS + "a_concatenation_that_cannot_be_is_refused",
        ),
        ("MUST", "Announce concatenation-unfinished if it is offered", "not offered: parts have to be whole"),
        ("SHALL NOT", "transfer the metadata of parts", CONCATENATED),
        ("MUST", "403 for PATCH on a final upload", CONCATENATED),
        ("MUST NOT", "modify it or its parts", JOINING + "partial_uploads_become_one"),
        ("SHOULD NOT", "tell its offset before it is finished", "it is finished before its URL is told"),
        ("MUST", "Afterwards offset and length are there and equal", CONCATENATED),
        (
            "MUST",
            "HEAD of a partial upload has the offset",
            TUS_EXTENSIONS + "a_concatenation_that_cannot_be_is_refused",
        ),
        ("MUST", "HEAD has the length if it can be calculated", CONCATENATED),
        ("MUST", "HEAD repeats Upload-Concat as it was given", CONCATENATED),
    ),
)

TOLD = IETF + "the_offset_is_told"
CAREFULLY = IETF + "a_careful_creation_makes_a_resource"
PARTS = IETF + "an_upload_in_parts_becomes_an_image"
CONFLICT = IETF + "another_offset_is_a_conflict_that_tells_the_right_one"
COMPLETED = IETF + "a_completed_upload_takes_nothing_and_names_its_image"
EXCEEDS = IETF + "what_exceeds_its_length_is_invalid_from_then_on"
FIELDS = IETF + "an_append_without_its_fields_is_refused"
NO_IMAGE = IETF + "what_is_no_image_is_told_as_the_end_of_the_upload"
BAD_FILE = IETF + "a_file_with_another_digest_fails_and_says_that_it_was_processed"
BAD_CONTENT = IETF + "content_with_another_digest_is_not_appended"
WHOLE = IETF + "a_whole_file_in_one_request_is_answered_as_an_upload"
IN_FLIGHT = BREAKS + "a_new_request_ends_the_one_in_flight"

IETF_RULES: Sequence[Rule] = (
    *_rules(
        "Offset",
        ("MUST NOT", "decrease", CONFLICT),
        ("MUST", "Deactivate an upload whose state is lost", RULES + "bytes_that_are_gone_end_the_upload"),
        ("MUST", "Ignore a field that is no non-negative Integer", FIELDS),
    ),
    *_rules(
        "Completeness",
        ("MUST", "Ignore a field that is no Boolean", IETF + "a_completeness_of_another_form_is_ignored"),
    ),
    *_rules(
        "Length",
        ("MUST", "Ignore a field that is no non-negative Integer", STRUCTURED + "what_is_no_count_counts_as_absent"),
        ("MUST", "Two ways to tell it in one request match", IETF + "lengths_that_disagree_are_refused"),
        ("MUST", "Several requests that tell it match", IETF + "a_length_once_told_stays"),
    ),
    *_rules(
        "Limits",
        ("SHOULD NOT", "change them so that uploads fail", TOLD),
        ("MUST", "Upload-Limit with OPTIONS", IETF + "options_tell_the_limits"),
        ("MUST", "Accept-Patch with OPTIONS, with application/partial-upload", IETF + "options_tell_the_limits"),
        ("SHOULD NOT", "announce less than holds later", IETF + "options_tell_the_limits"),
        ("SHOULD", "Upload-Limit with OPTIONS *", "this target is not supported"),
        ("SHOULD", "Upload-Limit with 413", IETF + "too_long_an_upload_is_refused_with_the_limit"),
    ),
    *_rules(
        "Upload Creation",
        ("SHOULD", "Announce the upload by 104, if capable", NO_104),
        ("MUST", "Location with ?0", CAREFULLY),
        ("MUST", "Upload-Limit with ?0", CAREFULLY),
        ("RECOMMENDED", "201 with ?0", CAREFULLY),
        ("MUST", "Record the length", TOLD),
        ("SHOULD", "Upload-Complete in the answer", CAREFULLY),
        ("SHOULD", "Keep what came before an interruption", BY_KEY),
        ("MUST NOT", "take an interrupted upload for complete", BROKEN),
    ),
    *_rules(
        "Offset Retrieval",
        ("MUST", "Upload-Offset", TOLD),
        ("MUST", "Upload-Complete", IETF + "a_completed_upload_says_so"),
        ("MUST", "Upload-Length, unless it is unknown", IETF + "an_unknown_length_is_not_told"),
        ("MUST", "Upload-Limit", TOLD),
        ("SHOULD", "Cache-Control: no-store", TOLD),
        ("SHOULD NOT", "301 or 302", TOLD),
    ),
    *_rules(
        "Upload Append",
        ("SHOULD", "Keep what came before an interruption, from its beginning", BROKEN),
        ("MUST NOT", "take an interrupted upload for complete", BROKEN),
        ("MUST", "409 with Upload-Complete: ?0 for another offset", CONFLICT),
        ("MUST", "The right offset with it", CONFLICT),
        ("SHOULD", "Answer ?1 as the resource would have answered the whole", PARTS),
        ("MUST", "Upload-Complete: ?1 in that answer", PARTS),
        (
            "MUST",
            "Upload-Complete: ?1 also where processing failed",
            NO_IMAGE,
        ),
        ("SHOULD", "2xx with Upload-Complete: ?0 otherwise", PARTS),
        ("MUST", "Record the length", IETF + "a_length_once_told_stays"),
        ("MUST", "Reject what exceeds the length, and the upload from then on", EXCEEDS),
        ("MUST NOT", "modify an upload that is complete", COMPLETED),
        ("MUST", "More content for one that is complete is an inconsistent length", COMPLETED),
        ("MUST", "Reject an empty append to it", COMPLETED),
        ("SHOULD", "Tell the progress by 104", NO_104),
    ),
    *_rules(
        "Upload Cancellation",
        ("SHOULD", "Deactivate the upload", IETF + "a_cancelled_upload_is_gone"),
        ("SHOULD", "End requests in flight first", RULES + "cancelling_ends_the_request_in_flight"),
        ("SHOULD NOT", "301 or 302", IETF + "a_cancelled_upload_is_gone"),
    ),
    *_rules(
        "Concurrency",
        ("MUST", "Prevent races, loss and corruption", BREAKS + "two_clients_on_one_upload_make_one_image"),
        ("MUST NOT", "tell an offset that is out of date", IN_FLIGHT),
        ("SHOULD", "End the previous request before the new one", RULES + "a_newcomer_takes_over"),
    ),
    *_rules(
        "Problem Types",
        ("SHOULD", "mismatching-upload-offset with both offsets", CONFLICT),
    ),
    *_rules(
        "Integrity Digests",
        (
            "SHOULD",
            "Fail an upload with another Repr-Digest",
            BAD_FILE,
        ),
        (
            "SHOULD",
            "Answer a digest of the whole if asked",
            WHOLE,
        ),
        (
            "SHOULD",
            "Append no content with another Content-Digest",
            BAD_CONTENT,
        ),
    ),
    *_rules(
        "Security Considerations",
        ("SHOULD", "Let only those in who may", IETF + "only_the_owner_gets_at_it"),
        ("MUST NOT", "leak anything internal in the URI", CAREFULLY),
        ("MUST", "Validate or sanitize metadata", CAREFULLY),
        ("SHOULD", "Check quota and permission again at the end", REFUSALS + "storage_is_counted_while_bytes_arrive"),
        ("SHOULD", "Bound how long an upload can be kept open", RULES + "an_expired_upload_is_gone"),
    ),
    *_rules(
        "Draft Version Identification",
        ("MUST NOT", "send 104 without the version", NO_104),
    ),
)


def page() -> str:
    """The page as it ought to be."""
    return "\n".join([HEAD, *_table("tus 1.0.0", TUS_RULES), "", *_table("The IETF draft", IETF_RULES), ""])


def _table(title: str, rules: Sequence[Rule]) -> list[str]:
    rows = [f"| {rule.section} | {rule.level} | {rule.says} | {_shown(rule.held_by)} |" for rule in rules]
    return [f"## {title}", "", "| section | | rule | held by |", "|---|---|---|---|", *rows]


def _shown(held_by: str) -> str:
    file, separator, name = held_by.partition("::")
    return f"`{Path(file).name}`: {name.removeprefix('test_').replace('_', ' ')}" if separator else held_by


if __name__ == "__main__":
    made_page.main(PAGE, page())
