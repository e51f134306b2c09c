// Runs as a picture (SVG 1.1), one below the other on the same axes: pods, busy nodes, waiting and killed jobs, and when all
// jobs were done. The picture has no scripts and no fonts, so a README can show it, in light and in dark. Pure.

import { formatDuration } from '../duration.ts'
import type { State, Trace } from '../trace.ts'
import { countTicks, timeTicks } from './axis.ts'
import { cross, escapeXml, round, text } from './marks.ts'

/** A run, with the two lines of text above it. */
export interface Panel {
  readonly title: string
  readonly note: string
  readonly trace: Trace
}

export interface PictureOptions {
  readonly maxNodes: number
  readonly endMs: number
}

/** In pixels. */
const WIDTH = 760
const LEFT = 60
const RIGHT = 16
const PLOT_HEIGHT = 120
const WAIT_HEIGHT = 28
const PANEL_HEIGHT = 236
const TITLE_HEIGHT = 44
const LEGEND_HEIGHT = 30
const CROSS_WIDTH = 10

/** Every colour is that of a class, so that a dark page gets others. */
const STYLE = `<style>
.page{fill:#ffffff}.text{fill:#24292f}.faint{fill:#57606a}.line{stroke:#d0d7de}
.room{fill:#e5e9ee}.pods{fill:#b6d4fe}.busy{fill:#0b5ed7}.wait{fill:#e8a33d}
.killed{stroke:#c9211e;stroke-width:2}.count{fill:#c9211e}.done{stroke:#1a7f37;stroke-dasharray:4 3}.end{fill:#1a7f37}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}.text{fill:#e6edf3}.faint{fill:#9198a1}.line{stroke:#3d444d}
.room{fill:#272e38}.pods{fill:#1f4b82}.busy{fill:#58a6ff}.wait{fill:#d29922}
.killed{stroke:#ff7b72}.count{fill:#ff7b72}.done{stroke:#3fb950}.end{fill:#3fb950}
}
</style>`

export function drawPicture(panels: readonly Panel[], options: PictureOptions): string {
  const height = LEGEND_HEIGHT + panels.length * PANEL_HEIGHT
  const waiting = panels.flatMap(({ trace }) => trace.states).map(({ pending }) => pending)
  const mostWaiting = waiting.reduce((most, pending) => Math.max(most, pending), 1)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title id="title">Nodes, and jobs that wait, over ${formatDuration(options.endMs / 1000)}: ${panels.length} HPAs on the same jobs</title>`,
    `<desc id="desc">${escapeXml(panels.map(({ title, note }) => `${title}: ${note}`).join('. '))}</desc>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    legend(panels.some(hasSpareNodes)),
    ...panels.map((panel, index) => {
      const top = LEGEND_HEIGHT + index * PANEL_HEIGHT
      return `<g transform="translate(0 ${top})">\n${drawPanel(panel, { ...options, mostWaiting })}\n</g>`
    }),
    '</svg>',
    '',
  ].join('\n')
}

/** Whether the run has nodes without a pod. */
export function hasSpareNodes({ trace }: Panel): boolean {
  return trace.states.some(({ room, pods }) => room !== pods)
}

function legend(hasSpare: boolean): string {
  const entries = [
    { sign: box('busy'), words: 'nodes with jobs' },
    { sign: box('pods'), words: 'idle nodes' },
    ...(hasSpare ? [{ sign: box('room'), words: 'room without a pod' }] : []),
    { sign: box('wait'), words: 'jobs that wait' },
    { sign: () => cross(5, 16), words: 'a job is killed' },
    { sign: () => '<path class="done" d="M5 9V22"/>', words: 'all jobs have ended' },
  ]
  return entries
    .map(({ sign, words }, index) => {
      const x = LEFT + index * (hasSpare ? 116 : 136)
      const label = text({ x: 16, y: 20, style: 'faint' }, words)
      return `<g transform="translate(${x} 0)">${sign()}${label}</g>`
    })
    .join('\n')
}

function box(style: string): () => string {
  return () => `<rect class="${style}" y="10" width="11" height="11"/>`
}

function drawPanel(
  panel: Panel,
  options: PictureOptions & { readonly mostWaiting: number },
): string {
  const { title, note, trace } = panel
  const { states, endMs, summary } = trace
  const { maxNodes, mostWaiting } = options
  const spare = hasSpareNodes(panel)
  const nodes = { ...options, top: TITLE_HEIGHT, height: PLOT_HEIGHT, most: maxNodes, ticks: 4 }
  const plot = new Plot({ ...nodes, name: 'nodes' })
  const top = TITLE_HEIGHT + PLOT_HEIGHT + 26
  const jobs = { ...options, top, height: WAIT_HEIGHT, most: mostWaiting, ticks: 1 }
  const waits = new Plot({ ...jobs, name: 'waiting' })
  return [
    text({ x: LEFT, y: 14, style: 'text', weight: 600 }, title),
    text({ x: LEFT, y: 28, style: 'faint' }, note),
    plot.frame(),
    ...(spare ? [plot.area(states, endMs, ({ room }) => Math.min(room, maxNodes), 'room')] : []),
    plot.area(states, endMs, ({ pods }) => pods, 'pods'),
    plot.area(states, endMs, ({ busy }) => busy, 'busy'),
    ...plot.crosses(states),
    ...(summary.doneAfter === undefined ? [] : [plot.end(summary.doneAfter * 1000)]),
    plot.times(),
    waits.frame(),
    waits.area(states, endMs, ({ pending }) => pending, 'wait'),
  ].join('\n')
}

interface PlotOptions extends PictureOptions {
  /** Of the axis. */
  readonly name: string
  readonly top: number
  readonly height: number
  /** The value at the top. */
  readonly most: number
  /** At most this many lines above the one at 0. */
  readonly ticks: number
}

/** A rectangle of the picture with its scales. */
class Plot {
  readonly #options: PlotOptions

  constructor(options: PlotOptions) {
    this.#options = options
  }

  /** The axis of the values: its name, and a line for each tick. */
  frame(): string {
    const { name, top, height, most, ticks } = this.#options
    const middle = top + height / 2
    const right = WIDTH - RIGHT
    // On a low plot a round number would leave the top without one.
    const values = ticks === 1 ? [0, most] : countTicks(most, ticks)
    return [
      `<text class="faint" text-anchor="middle" transform="translate(14 ${middle}) rotate(-90)">${name}</text>`,
      ...values.flatMap((value) => {
        const y = this.#y(value)
        const label = text({ x: LEFT - 6, y: y + 4, style: 'faint', anchor: 'end' }, String(value))
        return [`<path class="line" d="M${LEFT} ${y}H${right}"/>`, label]
      }),
    ].join('\n')
  }

  /** The area below a line of steps: of states in the same half pixel the highest. */
  area(
    states: readonly State[],
    endMs: number,
    valueIn: (state: State) => number,
    style: string,
  ): string {
    const heights = new Map<number, number>()
    for (const state of states) {
      const x = Math.round(this.#x(state.atMs) * 2) / 2
      heights.set(x, Math.max(heights.get(x) ?? 0, valueIn(state)))
    }
    const last = states.at(-1)
    let before: number | undefined
    const steps = [...heights].map(([x, value]) => {
      const step = value === before ? '' : `H${x}V${this.#y(value)}`
      before = value
      return step
    })
    // What the last half pixel had for a moment does not stay.
    const settled = last === undefined ? '' : `V${this.#y(valueIn(last))}`
    const path = `M${LEFT} ${this.#y(0)}${steps.join('')}${settled}H${this.#x(endMs)}V${this.#y(0)}Z`
    return `<path class="${style}" d="${path}"/>`
  }

  /** A cross for each killed job, side by side. Those for which there is no room are counted at the last one. */
  crosses(states: readonly State[]): readonly string[] {
    const y = this.#options.top - 6
    const rightmost = WIDTH - RIGHT - CROSS_WIDTH * 3
    const kills = states.flatMap(({ atMs, lost }, index) =>
      Array.from({ length: lost - (states[index - 1]?.lost ?? 0) }, () => this.#x(atMs)),
    )
    let free = 0
    const drawn: string[] = []
    for (const [index, atX] of kills.entries()) {
      const x = Math.max(atX, free)
      if (x > rightmost && index < kills.length - 1) {
        const rest = `+${kills.length - index}`
        return [...drawn, text({ x: rightmost + CROSS_WIDTH, y: y + 4, style: 'count' }, rest)]
      }
      drawn.push(cross(round(x), y))
      free = x + CROSS_WIDTH
    }
    return drawn
  }

  /** All jobs had ended: what follows is not for jobs. */
  end(atMs: number): string {
    const { top, height } = this.#options
    const x = this.#x(atMs)
    const isRight = x > WIDTH / 2
    const words = text(
      { x: x + (isRight ? -5 : 5), y: top + 12, style: 'end', anchor: isRight ? 'end' : 'start' },
      `done after ${formatDuration(atMs / 1000)}`,
    )
    return `<path class="done" d="M${x} ${top}V${top + height}"/>${words}`
  }

  times(): string {
    const { endMs, top, height } = this.#options
    const y = top + height + 15
    return timeTicks(endMs, 8)
      .map((atMs) => {
        const x = this.#x(atMs)
        const anchor = x > WIDTH - RIGHT - 20 ? 'end' : 'middle'
        const words = atMs === 0 ? '0' : formatDuration(atMs / 1000)
        const tick = `<path class="line" d="M${x} ${top + height}v4"/>`
        return tick + text({ x, y, style: 'faint', anchor }, words)
      })
      .join('\n')
  }

  #x(atMs: number): number {
    return round(LEFT + (atMs / this.#options.endMs) * (WIDTH - LEFT - RIGHT))
  }

  #y(value: number): number {
    const { top, height, most } = this.#options
    return round(top + height - (value / most) * height)
  }
}
