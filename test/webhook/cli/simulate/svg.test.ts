import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../webhook/cli/input/documents.ts'
import { drawPicture } from '../../../../webhook/cli/simulate/svg.ts'
import { traceOf } from '../traces.ts'

function draw(title: string): string {
  const trace = traceOf(1_000, { pods: 4, busy: 2 }, { atMs: 500, pods: 4, busy: 2, lost: 1 })
  return drawPicture([{ title, note: 'a note', trace }], { maxNodes: 4, endMs: 1_000 })
}

test('areas are as high as the numbers, and end with the run', () => {
  const picture = draw('an HPA')
  // The axis of time is from 44 to 744 pixels; 4 nodes are from 154 (bottom) to 34 (top).
  assert.match(picture, /<path d="M44 154H44V34H394V34H744V154Z" fill="#b6d4fe"\/>/)
  assert.match(picture, /<path d="M44 154H44V94H394V94H744V154Z" fill="#0b5ed7"\/>/)
})

test('a killed job is a cross at its time', () => {
  assert.equal(draw('an HPA').match(/stroke="#c9211e"/g)?.length, 1)
  assert.match(draw('an HPA'), /M390 29l8 8m0 -8l-8 8/)
})

test('the name of an HPA is escaped', () => {
  const picture = draw('<script>&"')
  assert.match(picture, />&#60;script&#62;&#38;&#34;<\/text>/)
  assert.doesNotMatch(picture, /<script/)
  // A picture among the input files is not read as a Kubernetes object.
  assert.equal(readDocuments(picture, 'queue.svg').found.length, 0)
})
