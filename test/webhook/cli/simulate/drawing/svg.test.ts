import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../../webhook/cli/input/files/documents.ts'
import { drawPicture } from '../../../../../webhook/cli/simulate/drawing/svg.ts'
import type { State, Trace } from '../../../../../webhook/cli/simulate/trace.ts'
import { traceOf } from '../../traces.ts'

function panelOf(trace: Trace, title = 'an HPA') {
  return { title, note: 'a note', trace }
}

function draw(title: string, ...later: readonly Partial<State>[]): string {
  const trace = traceOf(1_000, { pods: 4, busy: 2 }, ...later)
  return drawPicture([panelOf(trace, title)], { maxNodes: 4, endMs: 1_000 })
}

test('areas are as high as the numbers, and end with the run', () => {
  const picture = draw('an HPA', { atMs: 500, pods: 2, busy: 2 })
  // The axis of time is from 60 to 744 pixels; 4 nodes are from 164 (bottom) to 44 (top).
  assert.match(picture, /<path class="pods" d="M60 164H60V44H402V104V104H744V164Z"\/>/)
  assert.match(picture, /<path class="busy" d="M60 164H60V104V104H744V164Z"\/>/)
})

test('of many states in half a pixel the highest is drawn, and the last one stays', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    atMs: 500 + index / 1e6,
    pods: index % 4,
  }))
  const picture = draw('an HPA', ...many, { atMs: 500.1, pods: 1 })
  assert.match(picture, /class="pods" d="M60 164H60V44H402V74V134H744V164Z"/)
})

test('each killed job has a cross of its own, also if several are killed at once', () => {
  const crosses = (...states: readonly Partial<State>[]) =>
    draw('an HPA', ...states).match(/class="killed" d="M[\d.]+ 34l8 8m0 -8l-8 8"/g) ?? []
  assert.deepEqual(crosses({ atMs: 500, lost: 1 }), ['class="killed" d="M398 34l8 8m0 -8l-8 8"'])
  assert.deepEqual(crosses({ atMs: 500, lost: 2 }, { atMs: 501, lost: 3 }), [
    'class="killed" d="M398 34l8 8m0 -8l-8 8"',
    'class="killed" d="M408 34l8 8m0 -8l-8 8"',
    'class="killed" d="M418 34l8 8m0 -8l-8 8"',
  ])
  const all = draw('an HPA', { atMs: 900, lost: 50 })
  const drawn = all.match(/ 34l8 8/g)?.length ?? 0
  assert.ok(all.includes(`>+${50 - drawn}</text>`), `${drawn} of 50`)
})

test('all panels have one scale for the jobs that wait', () => {
  const traces = [traceOf(1_000, { pending: 10 }), traceOf(1_000, { pending: 5 })]
  const picture = drawPicture(
    traces.map((trace) => panelOf(trace)),
    { maxNodes: 4, endMs: 1_000 },
  )
  assert.match(picture, /class="wait" d="M60 218H60V190V190H744V218Z"/)
  assert.match(picture, /class="wait" d="M60 218H60V204V204H744V218Z"/)
})

test('the end of the jobs is marked', () => {
  assert.doesNotMatch(draw('an HPA'), /done after/)
  const trace = traceOf(1_000, { pods: 4 })
  const done = { ...trace, summary: { ...trace.summary, doneAfter: 0.25 } }
  const picture = drawPicture([panelOf(done)], { maxNodes: 4, endMs: 1_000 })
  assert.match(picture, /<path class="done" d="M231 44V164"\/><text [^>]+>done after 0 s<\/text>/)
})

test('the picture has named axes, a role, a title and a description, and colours for dark pages', () => {
  const picture = draw('an HPA')
  assert.match(picture, /^<svg [^>]*role="img" aria-labelledby="title desc"/)
  assert.match(picture, /<title id="title">[^<]+<\/title>\n<desc id="desc">an HPA: a note<\/desc>/)
  assert.match(picture, /rotate\(-90\)">nodes</)
  assert.match(picture, /rotate\(-90\)">waiting</)
  assert.match(picture, /@media \(prefers-color-scheme:dark\)/)
  const [, , ...drawn] = picture.split('</style>').join('').split('@media')
  assert.doesNotMatch(drawn.join(''), /fill="#|stroke="#/)
})

test('the name of an HPA is escaped', () => {
  const picture = draw('<script>&"')
  assert.match(picture, />&#60;script&#62;&#38;&#34;<\/text>/)
  assert.doesNotMatch(picture, /<script/)
  // A picture among the input files is not read as a Kubernetes object.
  assert.equal(readDocuments(picture, 'queue.svg').found.length, 0)
})
