// What happened, drawn into a chart of the last hour: bands while nothing was known, lines, and signs above.
import { EVENT_LOOKS, OTHER_EVENT } from './event-looks.ts'
import { type History, outagesIn } from './history.ts'

/** As much of a chart as is needed to draw into it. */
export interface Plot {
  readonly ctx: CanvasRenderingContext2D
  /** In pixels of the canvas. */
  readonly bbox: {
    readonly left: number
    readonly top: number
    readonly width: number
    readonly height: number
  }
  readonly scales: { readonly [name: string]: { readonly min?: number; readonly max?: number } }
  valToPos(value: number, scale: string, canvasPixels: boolean): number
}

/** A colour of the style sheet by its name. */
export type Colours = (name: string) => string

/** A band while no number was served. */
export function drawOutages(plot: Plot, { events, at }: History, colour: Colours): void {
  const { ctx, bbox } = plot
  const place = (time: number) => clamp(plot.valToPos(time, 'x', true), bbox)
  ctx.save()
  for (const { from, to } of outagesIn(events)) {
    const [left, right] = [place(from), place(to ?? at.at(-1) ?? from)]
    ctx.fillStyle = colour('fill-outage')
    ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height)
  }
  ctx.restore()
}

interface EventStyle {
  readonly colour: Colours
  readonly hasSigns: boolean
}

export function drawEvents(
  plot: Plot,
  { events }: History,
  { colour, hasSigns }: EventStyle,
): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  const [from = 0, to = 0] = [plot.scales.x?.min, plot.scales.x?.max]
  ctx.save()
  ctx.font = `${11 * ratio}px system-ui, sans-serif`
  ctx.textAlign = 'center'
  ctx.lineWidth = ratio
  const shown = events
    .filter(({ at }) => at >= from && at <= to)
    .map(({ at, kind }) => ({ at, kind, look: EVENT_LOOKS.get(kind) ?? OTHER_EVENT }))
  const taken: number[] = []
  // What is rare and tells most comes first: signs that would stand on others are left out, and the list has all events.
  const important = [
    ...shown.filter(({ look }) => look.hasLine),
    ...shown.filter(({ look }) => !look.hasLine),
  ]
  for (const { at, kind, look } of important) {
    const { sign, hasLine } = look
    const x = Math.round(plot.valToPos(at, 'x', true))
    ctx.strokeStyle = colour(kind === 'error' ? 'bad' : 'muted')
    ctx.fillStyle = ctx.strokeStyle
    if (hasLine) {
      ctx.setLineDash([2 * ratio, 3 * ratio])
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    if (!hasSigns || taken.some((other) => Math.abs(x - other) < 11 * ratio)) continue
    ctx.fillText(sign, x, bbox.top - 4 * ratio)
    taken.push(x)
  }
  ctx.restore()
}

function clamp(x: number, { left, width }: Plot['bbox']): number {
  return Math.min(left + width, Math.max(left, x))
}
