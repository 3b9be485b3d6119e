import { stripVTControlCharacters } from "node:util";

/** A cell: text, perhaps with colours; `right` lines numbers up. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

const GAP = "  ";

/** Lines of a table: columns as wide as their widest cell, the last one unpadded. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, index) => pad(cells[index] ?? "", widths[index] ?? 0, right === true))
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

// Columns that a text takes on a terminal; wide characters of East Asia count two.
function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

function pad(text: string, width: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
}

const UNITS: readonly [name: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
];

/** A length of time in at most five characters or so: "83ms", "1.2s", "4m", "2h", "3d". */
export function shortDuration(ms: number): string {
  for (const [name, unit] of UNITS) if (ms >= unit) return `${Math.floor(ms / unit)}${name}`;
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))}ms` : `${(ms / 1_000).toFixed(1)}s`;
}

/** Text cut to a width, on one line and without control characters. */
export function shortText(text: string, charsMax: number): string {
  const plain = text.replace(/\p{Cc}+/gu, " ");
  return plain.length <= charsMax ? plain : `${plain.slice(0, charsMax - 1)}…`;
}
