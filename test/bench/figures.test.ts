import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Figure, writeFigures } from './figures.ts'

const FIGURE: Figure = {
  name: 'RSS idle',
  value: 64.5,
  unit: 'MiB',
  target: { at: 'most', value: 72 },
  detail: '16 nodes',
}

test('writeFigures writes each figure before the next one is measured', async () => {
  const written: string[] = []
  async function* measure(): AsyncGenerator<Figure> {
    yield FIGURE
    assert.deepEqual(written, [
      `${'RSS idle'.padEnd(52)}     64.50 MiB      ≤ 72  ok      16 nodes\n`,
    ])
    throw new Error('ended early')
  }
  await assert.rejects(
    writeFigures(measure(), (text) => written.push(text)),
    /ended early/,
  )
})
