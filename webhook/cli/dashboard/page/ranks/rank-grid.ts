// Where each rank stands in the picture of all ranks, and its outline there. Pure.
import type { Idset } from '#flux/sets/idset.ts'

export interface Grid {
  /** Ranks that are drawn; more are only counted. */
  readonly count: number
  readonly columns: number
  readonly rows: number
  /** Of a cell with its gap, in pixels. */
  readonly pitch: number
  /** Of a cell alone. */
  readonly side: number
}

const PITCHES = [42, 36, 30, 26, 22, 18, 15, 12, 10, 8, 7, 6, 5, 4]
const SMALLEST = 4

/** More are not drawn: the legend has all of them. */
export const MAX_CELLS = 16_384

/** Pixels. */
const MAX_HEIGHT = 220

/** The largest cells with which all ranks fit. */
export function gridFor(ranks: number, width: number): Grid {
  const count = Math.min(ranks, MAX_CELLS)
  const fits = (pitch: number) => Math.ceil(count / columnsFor(width, pitch)) * pitch <= MAX_HEIGHT
  const pitch = PITCHES.find(fits) ?? SMALLEST
  const columns = Math.max(1, Math.min(columnsFor(width, pitch), count))
  const side = pitch - (pitch > 12 ? 4 : pitch > 7 ? 2 : 1)
  return { count, columns, rows: Math.ceil(count / columns), pitch, side }
}

/** Rows that begin with a round number are found more easily. */
function columnsFor(width: number, pitch: number): number {
  const most = Math.max(1, Math.floor(width / pitch))
  const round = [100, 50, 10].find((step) => most >= (step === 10 ? 2 : 6) * step) ?? 1
  return most - (most % round)
}

/** The upper left corner of a rank's cell. */
export function cellOf(rank: number, { columns, pitch }: Grid): readonly [x: number, y: number] {
  return [(rank % columns) * pitch, Math.floor(rank / columns) * pitch]
}

/** The rank at a place; `undefined` where there is none. */
export function rankAt(x: number, y: number, { columns, rows, pitch, count }: Grid) {
  const [column, row] = [Math.floor(x / pitch), Math.floor(y / pitch)]
  if (column < 0 || column >= columns || row < 0 || row >= rows) return undefined
  const rank = row * columns + column
  return rank < count ? rank : undefined
}

/** How a shape is drawn in a cell whose upper left corner is at x and y. */
export type Shape = (x: number, y: number, side: number) => string

/** A shape for each of these ranks, as SVG path data. */
export function shapesOf(ranks: Idset, grid: Grid, shape: Shape): string {
  const parts: string[] = []
  for (const { first, last } of ranks.ranges) {
    for (let rank = first; rank <= Math.min(last, grid.count - 1); rank += 1) {
      const [x, y] = cellOf(rank, grid)
      parts.push(shape(x, y, grid.side))
    }
  }
  return parts.join('')
}

export const square: Shape = (x, y, side) => `M${x} ${y}h${side}v${side}h-${side}z`

/** The line between the ranks below a size and the others, as SVG path data. */
export function boundaryOf(size: number, { columns, rows, pitch, side }: Grid): string {
  const gap = (pitch - side) / 2
  const [row, column] = [Math.floor(size / columns), size % columns]
  const [x, y] = [column * pitch - gap, row * pitch - gap]
  const [right, bottom] = [columns * pitch - gap, rows * pitch - gap]
  if (row >= rows) return `M${right} ${bottom - pitch}V${bottom}`
  const lower = row + 1 >= rows ? bottom : y + pitch
  if (column === 0) return row === 0 ? '' : `M${-gap} ${y}H${right}`
  const [above, below] = [row > 0 ? `M${right} ${y}H${x}` : `M${x} ${y}`, `V${lower}`]
  return `${above}${below}${row + 1 >= rows ? '' : `H${-gap}`}`
}
