// Runs as a picture (SVG 1.1), one below the other on the same axis of time: pods, busy nodes, waiting and killed jobs. The
// picture has no scripts and no fonts, so a README can show it. Pure.
import { formatDuration } from './duration.ts'
import type { State, Trace } from './trace.ts'

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
const LEFT = 44
const RIGHT = 16
const PLOT_HEIGHT = 120
const WAIT_HEIGHT = 28
const PANEL_HEIGHT = 226
const TITLE_HEIGHT = 34
const LEGEND_HEIGHT = 30

const COLORS = {
  text: '#24292f',
  faint: '#6e7781',
  line: '#d0d7de',
  pods: '#b6d4fe',
  busy: '#0b5ed7',
  wait: '#e8a33d',
  killed: '#c9211e',
} as const

export function drawPicture(panels: readonly Panel[], options: PictureOptions): string {
  const height = LEGEND_HEIGHT + panels.length * PANEL_HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(panels.map(({ title, note }) => `${title}: ${note}`).join('. '))}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    legend(),
    ...panels.map((panel, index) => {
      const top = LEGEND_HEIGHT + index * PANEL_HEIGHT
      return `<g transform="translate(0 ${top})">\n${drawPanel(panel, options)}\n</g>`
    }),
    '</svg>',
    '',
  ].join('\n')
}

function legend(): string {
  const entries = [
    { color: COLORS.busy, text: 'nodes with jobs' },
    { color: COLORS.pods, text: 'idle nodes' },
    { color: COLORS.wait, text: 'jobs that wait' },
    { color: COLORS.killed, text: 'a job is killed' },
  ]
  return entries
    .map(({ color, text: words }, index) => {
      const x = LEFT + index * 130
      const box = `<rect x="${x}" y="10" width="11" height="11" fill="${color}"/>`
      return box + text({ x: x + 16, y: 20, color: COLORS.faint }, words)
    })
    .join('\n')
}

function drawPanel({ title, note, trace }: Panel, options: PictureOptions): string {
  const { states, endMs } = trace
  const plot = new Plot({
    ...options,
    top: TITLE_HEIGHT,
    height: PLOT_HEIGHT,
    most: options.maxNodes,
  })
  const most = Math.max(1, ...states.map(({ pending }) => pending))
  const waits = new Plot({
    ...options,
    top: TITLE_HEIGHT + PLOT_HEIGHT + 22,
    height: WAIT_HEIGHT,
    most,
  })
  return [
    `${text({ x: LEFT, y: 14, color: COLORS.text, weight: 600 }, title)}`,
    text({ x: LEFT, y: 28, color: COLORS.faint }, note),
    plot.frame(String(options.maxNodes)),
    plot.area(states, endMs, ({ pods }) => pods, COLORS.pods),
    plot.area(states, endMs, ({ busy }) => busy, COLORS.busy),
    ...killsOf(states).map((atMs) => plot.cross(atMs)),
    plot.times(),
    waits.frame(String(most)),
    waits.area(states, endMs, ({ pending }) => pending, COLORS.wait),
  ].join('\n')
}

/** When jobs were killed. */
function killsOf(states: readonly State[]): readonly number[] {
  return states
    .filter(({ lost }, index) => lost > (states[index - 1]?.lost ?? 0))
    .map(({ atMs }) => atMs)
}

interface PlotOptions extends PictureOptions {
  readonly top: number
  readonly height: number
  /** The value at the top. */
  readonly most: number
}

/** A rectangle of the picture with its scales. */
class Plot {
  readonly #options: PlotOptions

  constructor(options: PlotOptions) {
    this.#options = options
  }

  frame(highest: string): string {
    const { top, height } = this.#options
    const [right, bottom] = [WIDTH - RIGHT, top + height]
    const line = (y: number) =>
      `<path d="M${LEFT} ${y}H${right}" stroke="${COLORS.line}" stroke-width="1"/>`
    const label = (y: number, words: string) =>
      text({ x: LEFT - 6, y, color: COLORS.faint, anchor: 'end' }, words)
    return [line(top), line(bottom), label(top + 4, highest), label(bottom + 4, '0')].join('\n')
  }

  /** The area below a line of steps. */
  area(
    states: readonly State[],
    endMs: number,
    heightOf: (state: State) => number,
    color: string,
  ): string {
    const steps = states.map((state) => `H${this.#x(state.atMs)}V${this.#y(heightOf(state))}`)
    const path = `M${this.#x(0)} ${this.#y(0)}${steps.join('')}H${this.#x(endMs)}V${this.#y(0)}Z`
    return `<path d="${path}" fill="${color}"/>`
  }

  cross(atMs: number): string {
    const [x, y] = [this.#x(atMs), this.#options.top - 1]
    return `<path d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8" stroke="${COLORS.killed}" stroke-width="2"/>`
  }

  times(): string {
    const { endMs, top, height } = this.#options
    const y = top + height + 15
    return [0, 0.25, 0.5, 0.75, 1]
      .map((share) => {
        const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle'
        const words = share === 0 ? '0' : formatDuration((endMs * share) / 1000)
        return text({ x: this.#x(endMs * share), y, color: COLORS.faint, anchor }, words)
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

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

interface TextStyle {
  readonly x: number
  readonly y: number
  readonly color: string
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: number
}

function text({ x, y, color, anchor, weight }: TextStyle, words: string): string {
  const style = [
    `x="${x}" y="${y}" fill="${color}"`,
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
    ...(weight === undefined ? [] : [`font-weight="${weight}"`]),
  ]
  return `<text ${style.join(' ')}>${escapeXml(words)}</text>`
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`)
}
