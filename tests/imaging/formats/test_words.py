"""What XMP and IPTC say in words: as Lightroom, digiKam, Windows and the MWG write it, and to hurt."""

from tests.imaging.formats.test_notes import dataset, packet

from imagegallery.imaging.decoder.source import Blocks
from imagegallery.imaging.formats.notes import MAX_NAME, MAX_NAMES, read_notes
from imagegallery.imaging.protocol import FileWords

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:digiKam="http://www.digikam.org/ns/1.0/" '
    'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"'
)


def words(elements: str = "", attributes: str = "", *, iptc: bytes = b"") -> FileWords:
    return read_notes(Blocks(xmp=packet(f"{NAMESPACES} {attributes}", elements), iptc=iptc)).words


def bag(*items: str) -> str:
    return f"<rdf:Bag>{''.join(f'<rdf:li>{item}</rdf:li>' for item in items)}</rdf:Bag>"


def test_xmp_says_tags_captions_and_stars() -> None:
    title = '<rdf:Alt><rdf:li xml:lang="pt">Eléctrico</rdf:li><rdf:li xml:lang="x-default">Tram</rdf:li></rdf:Alt>'
    said = words(
        f"<dc:subject>{bag('tram', 'Lisbon, Portugal', 'a &amp; b')}</dc:subject><dc:title>{title}</dc:title>"
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Up to\nthe castle</rdf:li></rdf:Alt></dc:description>'
        f"<lr:hierarchicalSubject>{bag('Places|Lisbon')}</lr:hierarchicalSubject>",
        'xap:Rating="4" ps:Headline="Trams"',
        iptc=dataset(25, "other"),
    )
    assert said == FileWords(("tram", "Lisbon, Portugal", "a & b"), ("Tram", "Trams"), ("Up to\nthe castle",), ("4",))


def test_of_tags_below_tags_the_lowest_counts_and_a_gallery_is_none() -> None:
    paths = bag("Places|Lisbon", "Galleries|2024", "tram")
    assert words(f"<lr:hierarchicalSubject>{paths}</lr:hierarchicalSubject>").tags == ("Lisbon", "tram")
    assert words(f"<digiKam:TagsList>{bag('Places/Lisbon')}</digiKam:TagsList>").tags == ("Lisbon",)


REGIONS = """
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
  <rdf:li><rdf:Description mwg-rs:Name="Inês" mwg-rs:Type="Face"><mwg-rs:Area/></rdf:Description></rdf:li>
  <rdf:li><rdf:Description mwg-rs:Name="Rex" mwg-rs:Type="Pet"/></rdf:li>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ana</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Type>BarCode</mwg-rs:Type><mwg-rs:Name>123</mwg-rs:Name></rdf:li>
</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
<MPRI:Regions><rdf:Bag><rdf:li MPReg:PersonDisplayName="Ben"/></rdf:Bag></MPRI:Regions>"""


def test_people_are_named_in_lists_and_on_faces() -> None:
    said = words(f"<Iptc4xmpExt:PersonInImage>{bag('Eva')}</Iptc4xmpExt:PersonInImage>{REGIONS}")
    assert said == FileWords(people=("Eva", "Inês", "Ana", "Ben"))


def test_iptc_counts_where_xmp_is_silent() -> None:
    long = b"\x1c\x02\x78\x80\x04\0\0\0\x05" + "Café".encode()
    latin = dataset(25, "tram") + b"\x1c\x02\x19\0\x04Caf\xe9"
    block = dataset(5, "Line 28") + latin + long + dataset(105, "Trams")
    said = read_notes(Blocks(iptc=block)).words
    assert said == FileWords(("tram", "Café"), ("Line 28", "Trams"), ("Café",))


def test_what_is_too_much_is_cut_where_it_is_read() -> None:
    said = words(f"<dc:subject>{bag(*map(str, range(10_000)))}</dc:subject>", iptc=dataset(120, "x" * 30_000))
    assert (len(said.tags), said.tags[:2]) == (MAX_NAMES, ("0", "1"))
    assert [len(each) for each in said.descriptions] == [5_000]
    (long,) = words(f"<dc:subject>{bag('x' * 200)}</dc:subject>").tags
    assert len(long) == MAX_NAME
    assert len(read_notes(Blocks(iptc=dataset(25, "tram") * 10_000)).words.tags) == MAX_NAMES


def test_a_packet_that_breaks_off_says_what_stands_before() -> None:
    cut = packet(NAMESPACES, f"<dc:subject>{bag('tram', 'sea')}</dc:subject>").partition(b"sea")[0]
    assert read_notes(Blocks(xmp=cut)).words.tags == ("tram",)
