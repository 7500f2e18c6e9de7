"""Workbooks made by hand, part by part, with what no well-behaved program would write."""

import io
import zipfile
from xml.sax.saxutils import escape, quoteattr

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINKED = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'

HEADER = ("ref", "name", "currency", "amount", "status", "start", "description")

_BY_NUMBER = {"\r": "&#13;"}  # XML reads the character itself as the end of a line


def text(said):
    """A cell with that text."""
    return 't="inlineStr"', f"<is><t>{escape(said, _BY_NUMBER)}</t></is>"


def number(said, style=0):
    """A cell with the number as it is stored."""
    return f's="{style}"', f"<v>{said}</v>"


def error(said):
    """A cell that shows an error."""
    return 't="e"', f"<v>{said}</v>"


def formula(said, value="", kind=""):
    """A formula; without a value it was never calculated."""
    return kind, f"<f>{said}</f>{value}"


def sheet(*rows, first=1):
    """A worksheet of rows; each is a sequence of cells, text, or None for none."""
    body = "".join(_row(n, row) for n, row in enumerate(rows, start=first))
    return f"<worksheet {_MAIN}><sheetData>{body}</sheetData></worksheet>"


def _row(n, cells):
    said = []
    for column, cell in enumerate(cells):
        if cell is not None:
            attributes, inner = text(cell) if isinstance(cell, str) else cell
            said.append(f'<c r="{chr(65 + column)}{n}" {attributes}>{inner}</c>')
    return f'<row r="{n}">{"".join(said)}</row>'


def book(sheets, *, states=(), formats="", properties="", texts=None):
    """The bytes of a workbook with these worksheets by name; style 1 is a date, 2 `formats`."""
    parts, links, listed = {}, [], []
    states = [*states, *["visible"] * len(sheets)]
    for n, (name, xml) in enumerate(sheets.items(), start=1):
        parts[f"xl/worksheets/sheet{n}.xml"] = xml
        links.append((f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml"))
        listed.append(
            f'<sheet name={quoteattr(name)} sheetId="{n}" state="{states[n - 1]}" r:id="rId{n}"/>'
        )
    links.append(("styles", "styles", "styles.xml"))
    parts["xl/styles.xml"] = (
        f'<styleSheet {_MAIN}><numFmts><numFmt numFmtId="170" formatCode={quoteattr(formats)}/>'
        '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>'
        "</styleSheet>"
    )
    if texts is not None:
        links.append(("texts", "sharedStrings", "/xl/sharedStrings.xml"))
        parts["xl/sharedStrings.xml"] = f"<sst {_MAIN}>{texts}</sst>"
    parts["xl/workbook.xml"] = (
        f"<workbook {_MAIN} {_LINKED}>{properties}<sheets>{''.join(listed)}</sheets></workbook>"
    )
    parts["xl/_rels/workbook.xml.rels"] = _links(*links)
    parts["_rels/.rels"] = _links(("main", "officeDocument", "xl/workbook.xml"))
    return packed(parts)


def _links(*links):
    said = "".join(f'<Relationship Id="{i}" Type="{_KIND}/{k}" Target="{t}"/>' for i, k, t in links)
    return f"<Relationships {_LINKS}>{said}</Relationships>"


def packed(parts):
    """The parts, by name, in an archive."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return raw.getvalue()


def parts_of(raw):
    """The parts of an archive, by name."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
