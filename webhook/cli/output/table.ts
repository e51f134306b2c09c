// A table as text: the first column is aligned to the left, the others, mostly numbers, to the right. Pure.

/** The lines of the table, the head first. One that is too wide is cut into several, each with the first column. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const whole = formatWhole(head, rows)
  const columns = head.length - 1
  for (let tables = 1; tables <= columns; tables += 1) {
    const perTable = Math.ceil(columns / tables)
    const parts = Array.from({ length: Math.ceil(columns / perTable) }, (_, index) => {
      const [from, to] = [1 + index * perTable, 1 + (index + 1) * perTable]
      const part = (cells: readonly string[]) => [...cells.slice(0, 1), ...cells.slice(from, to)]
      return formatWhole(part(head), rows.map(part))
    })
    if (parts.flat().every((line) => line.length <= width)) {
      return parts.flatMap((part, index) => (index === 0 ? part : ['', ...part]))
    }
  }
  return whole
}

function formatWhole(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  return [head, ...rows].map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return index === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
