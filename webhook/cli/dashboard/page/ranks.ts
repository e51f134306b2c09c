// The picture of all ranks by state, each state with its own shape, so that it reads without colour; and who runs on the rank that is
// pointed at, with the mouse or with the arrow keys.
import { h } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { type Idset, parseIdset } from '#flux/sets/idset.ts'
import {
  boundaryOf,
  cellOf,
  type Grid,
  gridFor,
  rankAt,
  type Shape,
  shapesOf,
  square,
} from './rank-grid.ts'
import { LOOKS, UNKNOWN_LOOK } from './rank-looks.ts'
import type { RanksModel, StateOfRanks } from './ranks-model.ts'
import { useWidth } from './width.ts'

interface RanksProps {
  readonly model: RanksModel
  readonly desired: number | null
  /** Ranks of a job that is pointed at, as an idset; `null`: none. */
  readonly marked: string | null
}

/** For the number of the first rank of each row. */
const GUTTER = 40

/** Cells of this side have the numbers of their ranks. */
const NUMBERED = 26

function gutterOf({ side }: Grid): number {
  return side < NUMBERED ? GUTTER : 0
}

function gridIn(size: number, width: number): Grid {
  const grid = gridFor(size, Math.max(1, width))
  return gutterOf(grid) === 0 ? grid : gridFor(size, Math.max(1, width - GUTTER))
}

export function Ranks({ model, desired, marked }: RanksProps) {
  const [width, ref] = useWidth()
  const grid = useMemo(() => gridIn(model.size, width - 2), [model.size, width])
  const [rank, setRank] = useState<number>()
  const shown = rank === undefined ? undefined : Math.min(rank, grid.count - 1)
  const hidden = model.size - grid.count
  const point = (event: PointerEvent) => {
    const { currentTarget: box } = event
    if (!(box instanceof Element)) return
    const { left, top } = box.getBoundingClientRect()
    setRank(rankAt(event.clientX - left - gutterOf(grid), event.clientY - top, grid))
  }
  const press = (event: KeyboardEvent) => {
    const to = rankAfter(event.key, shown ?? -1, grid)
    if (to === undefined) return
    event.preventDefault()
    setRank(to)
  }
  return h(
    'section',
    { class: 'card ranks', 'aria-labelledby': 'ranks' },
    h('h2', { id: 'ranks' }, 'Ranks', h('span', { class: 'count' }, ` ${model.size}`)),
    h(
      'div',
      { class: 'strip', ref },
      model.size === 0
        ? h('p', { class: 'empty' }, 'Not known: this sidecar is too old to tell.')
        : h(
            'div',
            {
              class: 'cells',
              role: 'slider',
              tabindex: 0,
              'aria-label': 'Rank',
              'aria-valuemin': 0,
              'aria-valuemax': grid.count - 1,
              'aria-valuenow': shown ?? 0,
              'aria-valuetext': model.describe(shown ?? 0),
              onPointerMove: point,
              onPointerDown: point,
              onPointerLeave: () => setRank(undefined),
              onKeyDown: press,
            },
            h(Picture, { model, grid, desired }),
            h(Pointer, { grid, rank: shown, marked }),
          ),
    ),
    h('p', { class: 'told' }, shown === undefined ? HINT : model.describe(shown)),
    hidden > 0 && h('p', { class: 'more' }, `${hidden} more ranks are not drawn.`),
    h(Legend, { model, desired }),
  )
}

const HINT = 'Point at a rank, or use the arrow keys, to see who runs there.'

/** @returns `undefined` if the key means no rank */
function rankAfter(key: string, rank: number, { columns, count }: Grid): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: 10 * columns,
    PageUp: -10 * columns,
    Home: -count,
    End: count,
  }
  const step = steps[key]
  if (step === undefined) return undefined
  const from = rank === -1 && step > 0 && step < count ? rank + 1 - step : rank
  return Math.min(count - 1, Math.max(0, from + step))
}

interface PictureProps {
  readonly model: RanksModel
  readonly grid: Grid
  readonly desired: number | null
}

/** A path for each state, so that thousands of ranks are as quick as ten. */
function Picture({ model, grid, desired }: PictureProps) {
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
    canvasOf(grid),
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
      grid.side >= 5 &&
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
function Pointer({ grid, rank, marked }: PointerProps) {
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

function Legend({ model, desired }: Pick<PictureProps, 'model' | 'desired'>) {
  return h(
    'ul',
    { class: 'legend' },
    model.states.map((one) =>
      h('li', { key: one.state, class: 'state' }, sample(one), ' ', words(one)),
    ),
    desired !== null &&
      h(
        'li',
        { key: 'desired', class: 'state' },
        h(
          'svg',
          { width: 18, height: 18, 'aria-hidden': 'true' },
          h('path', { class: 'boundary', d: 'M9 1v16' }),
        ),
        ` desired size ${desired}`,
      ),
  )
}

function words({ words: text, count, spelt }: StateOfRanks) {
  return [h('b', {}, count), ` ${text}`, h('span', { class: 'which' }, ` ${spelt}`)]
}

function sample({ state }: StateOfRanks) {
  const { name, sign } = LOOKS.get(state) ?? UNKNOWN_LOOK
  return h(
    'svg',
    { width: 18, height: 18, viewBox: '-1 -1 18 18', 'aria-hidden': 'true' },
    h(
      'g',
      { class: `rank ${name}` },
      name !== 'absent' && h('path', { class: 'cell', d: square(1, 1, 14) }),
      sign !== undefined && h('path', { class: 'sign', d: sign(1, 1, 14) }),
    ),
  )
}
