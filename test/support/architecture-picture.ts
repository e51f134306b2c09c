// The picture in docs/ARCHITECTURE.md: the rooms, and the arrows that the imports make between them. After a change of the
// imports, this draws it again:
//
//   node test/support/architecture-picture.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { directImports, ROOT, roomImports } from './imports.ts'

export const PATH = join(ROOT, 'docs/architecture.svg')

const BOX = { width: 240, height: 52, columnGap: 32, rowGap: 40, margin: 24 }

interface Box {
  readonly column: number
  readonly row: number
  /** What is in the room, at most 34 characters. */
  readonly holds: string
}

/** Where each room stands. A room imports only rooms that are lower. */
const BOXES: Readonly<Record<string, Box>> = {
  sidecar: { column: 0, row: 1, holds: 'the program: starts the rooms below' },
  api: { column: 0, row: 2, holds: 'HTTP: metrics, discovery, explain' },
  collecting: { column: 0, row: 3, holds: 'when to read; drains carried out' },
  explaining: { column: 0, row: 4, holds: 'why, as data and in words' },
  metrics: { column: 1, row: 5, holds: 'what is published: the catalog' },
  scaling: { column: 0, row: 6, holds: 'need → placement → demand → sizes' },
  reading: { column: 0, row: 7, holds: 'what one reading of Flux says' },
  flux: { column: 0, row: 8, holds: 'frames → messages → typed calls' },
  identity: { column: 1, row: 2, holds: "the sidecar's certificate" },
  simulation: { column: 1, row: 7, holds: 'a simulated Flux instance' },
  gateway: { column: 1, row: 1, holds: 'one API for all MiniClusters' },
  cli: { column: 2, row: 0, holds: 'flux-metrics, for people' },
  serving: { column: 2, row: 8, holds: 'env, log, TLS, HTTPS, failures' },
  webhook: { column: 3, row: 1, holds: 'the program: starts the rooms below' },
  identities: { column: 3, row: 2, holds: 'who may have a certificate' },
  reconcile: { column: 4, row: 2, holds: 'what was missed, and who is told' },
  admission: { column: 3, row: 3, holds: 'review → look-ups → decision' },
  authority: { column: 4, row: 3, holds: 'the CA: kept, renewed, published' },
  events: { column: 4, row: 4, holds: 'Events: limited, counted up' },
  injection: { column: 3, row: 5, holds: 'container, volumes, patch' },
  kubernetes: { column: 4, row: 5, holds: 'the API server' },
  objects: { column: 3, row: 6, holds: 'what pods and MiniClusters say' },
  contract: { column: 3, row: 7, holds: 'names that others rely on' },
}

/** Draws it (SVG 1.1), in light and in dark. */
export function drawArchitecture(): string {
  const rooms = roomImports()
  const missing = [...rooms.keys()].filter((room) => BOXES[room] === undefined)
  if (missing.length > 0) throw new Error(`Cannot draw: no place for ${missing.join(', ')}`)
  const { width, height, columnGap, rowGap, margin } = BOX
  const boxes = Object.entries(BOXES)
  const size = (count: number, length: number, gap: number) =>
    count * (length + gap) - gap + 2 * margin
  const columns = 1 + Math.max(...boxes.map(([, { column }]) => column))
  const rows = 1 + Math.max(...boxes.map(([, { row }]) => row))
  const [w, h] = [size(columns, width, columnGap), size(rows, height, rowGap)]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-labelledby="title">`,
    '<title id="title">The rooms of flux-metrics-sidecar, and which imports which</title>',
    STYLE,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">' +
      '<path class="head" d="M0 0 8 4 0 8Z"/></marker></defs>',
    `<rect class="ground" width="${w}" height="${h}"/>`,
    ...directImports(rooms).map(([from, to]) => drawArrow(from, to)),
    ...boxes.map(([name, box]) => drawBox(name, box)),
    '</svg>',
  ].join('\n')}\n`
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.name { font-weight: 600; font-size: 15px; fill: #1f2328 }
.ground { fill: #ffffff }
.box { fill: #f6f8fa; stroke: #8c959f }
.arrow { fill: none; stroke: #8c959f }
.head { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 }
  .name { fill: #f0f6fc }
  .ground { fill: #0d1117 }
  .box { fill: #151b23; stroke: #656c76 }
  .arrow { stroke: #656c76 }
  .head { fill: #656c76 }
}
</style>`

function place({ column, row }: Box): { readonly x: number; readonly y: number } {
  const { width, height, columnGap, rowGap, margin } = BOX
  return { x: margin + column * (width + columnGap), y: margin + row * (height + rowGap) }
}

function drawBox(name: string, box: Box): string {
  const { x, y } = place(box)
  return [
    `<rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>`,
    `<text class="name" x="${x + 12}" y="${y + 22}">${name}</text>`,
    `<text x="${x + 12}" y="${y + 40}">${box.holds}</text>`,
  ].join('\n')
}

/** From the lower edge of a room to the upper edge of the one that it imports. */
function drawArrow(from: string, to: string): string {
  const [upper, lower] = [BOXES[from], BOXES[to]]
  if (upper === undefined || lower === undefined) throw new Error(`Cannot draw ${from} → ${to}`)
  if (upper.row >= lower.row) throw new Error(`Cannot draw ${from} → ${to}: it leads upwards`)
  const [start, end] = [place(upper), place(lower)]
  const x1 = start.x + BOX.width / 2
  const y1 = start.y + BOX.height
  const x2 = end.x + BOX.width / 2
  const bend = Math.min(60, (end.y - y1) / 2)
  return `<path class="arrow" marker-end="url(#head)" d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${end.y - bend} ${x2} ${end.y}"><title>${from} imports ${to}</title></path>`
}

if (import.meta.main) writeFileSync(PATH, drawArchitecture())
