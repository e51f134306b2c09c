// The picture of all ranks by state, each state with its own shape, so that it reads without colour; and who runs on the rank that is
// pointed at, with the mouse or with the arrow keys.
import { h } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { useWidth } from '../browser/width.ts'
import { type Grid, rankAt } from './rank-grid.ts'
import { Legend } from './rank-legend.ts'
import { gridIn, gutterOf, Picture, Pointer } from './rank-picture.ts'
import type { RanksModel } from './ranks-model.ts'

interface RanksProps {
  readonly model: RanksModel
  readonly desired: number | null
  /** Which ranks go when it shrinks to that; `undefined`: none. */
  readonly going: string | undefined
  /** Ranks of a job that is pointed at, as an idset; `null`: none. */
  readonly marked: string | null
}

export function Ranks({ model, desired, going, marked }: RanksProps) {
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
    h(Legend, { model, desired, going }),
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
