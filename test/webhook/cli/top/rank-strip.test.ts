import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { describeStates, drawStrip } from '../../../../webhook/cli/top/rank-strip.ts'

const STATES = [
  { state: 'busy', ranks: '0-2,5' },
  { state: 'free', ranks: '3' },
  { state: 'drained', ranks: '4' },
  { state: 'absent', ranks: '7' },
]

const PLAIN = { columns: 80, hasColor: false, maxLines: 4 }

test('the strip has a character for each rank, and a gap where R has none', () => {
  assert.deepEqual(drawStrip(STATES, PLAIN), ['███░d█ ·'])
  assert.deepEqual(drawStrip(STATES, { ...PLAIN, columns: 5 }), ['███░d', '█ ·'])
  assert.deepEqual(drawStrip([], PLAIN), [])
})

test('colours change nothing else', () => {
  const [line = ''] = drawStrip(STATES, { ...PLAIN, hasColor: true })
  assert.notEqual(line, '███░d█ ·')
  assert.equal(stripVTControlCharacters(line), '███░d█ ·')
})

test('of very many ranks the first are drawn, and it says so', () => {
  const states = [{ state: 'busy', ranks: '0-99999999' }]
  const lines = drawStrip(states, { ...PLAIN, columns: 10, maxLines: 2 })
  assert.deepEqual(lines, ['██████████', '██████████', '… 99999980 more ranks'])
})

test('the legend has every state that occurs, also one of a later release', () => {
  const later = { state: 'dreaming', ranks: '9' }
  assert.deepEqual(describeStates([later, ...STATES]), [
    '█ busy: ranks 0-2,5',
    '░ free: rank 3',
    'd drained by others: rank 4',
    '· not wanted: rank 7',
    '? dreaming: rank 9',
  ])
  assert.deepEqual(drawStrip([later], PLAIN), ['         ?'])
})
