// The picture of all ranks: a path for each state, the numbers of ranks or rows, and what is pointed at.
import { h } from 'preact'
import { useMemo } from 'preact/hooks'
import { type Idset, parseIdset } from '#flux/sets/idset.ts'
import {
  boundaryOf,
  cellOf,
  type Grid,
  gridFor,
  type Shape,
  shapesOf,
  square,
} from './rank-grid.ts'
import { LOOKS, UNKNOWN_LOOK } from './rank-looks.ts'
import type { RanksModel } from './ranks-model.ts'

/** For the number of the first rank of each row. */
const GUTTER = 40

/** Cells of this side have the numbers of their ranks. */
const NUMBERED = 26

/** The room at the left of the cells. */
export function gutterOf({ side }: Grid): number {
  return side < NUMBERED ? GUTTER : 0
}

/** The grid with its room at the left. */
export function gridIn(size: number, width: number): Grid {
  const grid = gridFor(size, Math.max(1, width))
  return gutterOf(grid) === 0 ? grid : gridFor(size, Math.max(1, width - GUTTER))
}

export interface PictureProps {
  readonly model: RanksModel
  readonly grid: Grid
  readonly desired: number | null
}

/** A path for each state, so that thousands of ranks are as quick as ten. */
export function Picture({ model, grid, desired }: PictureProps) {
  const paths = useMemo(
    () => model.states.map(({ state, ranks }) => pathsOf(state, ranks, grid)),
    [model, grid],
  )
  const { columns, rows, pitch } = grid
  const step = Math.max(1, Math.ceil(16 / pitch))
  const hasNumbers = gutterOf(grid) === 0
  const labels = Array.from({ length: hasNumbers ? 0 : rows }, (_, row) => row)
  const isDrawn = desired !== null && desired > 0 && desired <= grid.count
  return h(
    'svg',
    { ...canvasOf(grid), class: grid.side < 8 ? 'small' : '' },
    labels
      .filter((row) => row % step === 0)
      .map((row) =>
        h(
          'text',
          { key: row, x: -8, y: row * pitch + grid.side / 2 + 4, class: 'row' },
          row * columns,
        ),
      ),
    paths,
    hasNumbers && h(Numbers, { model, grid }),
    isDrawn && h('path', { class: 'boundary', d: boundaryOf(desired, grid) }),
  )
}

function canvasOf(grid: Grid) {
  const { columns, rows, pitch } = grid
  const gutter = gutterOf(grid)
  const [width, height] = [columns * pitch + gutter + 2, rows * pitch + 2]
  return {
    width,
    height,
    viewBox: `${-gutter} -1 ${width} ${height}`,
    'aria-hidden': 'true',
  } as const
}

function pathsOf(state: string, ranks: Idset, grid: Grid) {
  const { name, sign } = LOOKS.get(state) ?? UNKNOWN_LOOK
  return h(
    'g',
    { key: state, class: `rank ${name}` },
    name !== 'absent' && h('path', { class: 'cell', d: shapesOf(ranks, grid, square) }),
    sign !== undefined &&
      (grid.side >= 5 || name === 'absent') &&
      h('path', { class: 'sign', d: shapesOf(ranks, grid, belowNumber(sign, grid)) }),
  )
}

/** Below a number a sign is smaller. */
function belowNumber(sign: Shape, { side }: Grid): Shape {
  if (side < NUMBERED) return sign
  const small = side * 0.56
  return (x, y) => sign(x + (side - small) / 2, y + side - small - 1, small)
}

function Numbers({ model, grid }: Pick<PictureProps, 'model' | 'grid'>) {
  const { count, side } = grid
  return Array.from({ length: count }, (_, rank) => {
    const [x, y] = cellOf(rank, grid)
    const { state = 'absent' } = model.stateOf(rank) ?? {}
    const { name, sign } = LOOKS.get(state) ?? UNKNOWN_LOOK
    const below = sign === undefined ? side / 2 + 4 : 13
    return h('text', { key: rank, class: `number ${name}`, x: x + side / 2, y: y + below }, rank)
  })
}

interface PointerProps {
  readonly grid: Grid
  readonly rank: number | undefined
  readonly marked: string | null
}

/** The rank that is pointed at, and those of the job that is. */
export function Pointer({ grid, rank, marked }: PointerProps) {
  const around = (x: number, y: number, side: number) => square(x - 1, y - 1, side + 2)
  const [x, y] = cellOf(rank ?? 0, grid)
  return h(
    'svg',
    { class: 'pointer', ...canvasOf(grid) },
    marked !== null &&
      h('path', { class: 'marked', d: shapesOf(parseIdset(marked), grid, around) }),
    rank !== undefined && h('path', { class: 'pointed', d: around(x, y, grid.side) }),
  )
}
