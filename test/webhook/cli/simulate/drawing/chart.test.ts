import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsOf, drawChart } from '../../../../../webhook/cli/simulate/drawing/chart.ts'
import { traceOf } from '../../traces.ts'

const TRACE = traceOf(
  80,
  { atMs: 0, pods: 2, busy: 2 },
  { atMs: 20, pods: 4, busy: 2, pending: 8 },
  { atMs: 40, pods: 4, busy: 4, pending: 2 },
  { atMs: 60, pods: 1, busy: 0, lost: 1 },
)

test('nodes without a pod are dots', () => {
  const bought = traceOf(80, { atMs: 0, pods: 2, busy: 1, nodes: 4, room: 4 })
  const lines = drawChart(bought, { columns: 4, rows: 4, maxNodes: 4, endMs: 80 })
  assert.deepEqual(lines.slice(0, 4), ['     4┤····', '      ┤····', '      ┤░░░░', '      ┤████'])
})

test('drawChart shows busy and idle nodes over time, waiting jobs, and when jobs were killed', () => {
  assert.deepEqual(drawChart(TRACE, { columns: 4, rows: 4, maxNodes: 4, endMs: 80 }), [
    '     4┤ ░█',
    '      ┤ ░█',
    '      ┤███',
    '      ┤███░',
    '     0└────',
    '       00 s',
    '  wait  █▂  up to 8',
    'killed    ✗',
  ])
})

test('a chart that is longer than its run is empty after it', () => {
  assert.deepEqual(
    drawChart(TRACE, { columns: 4, rows: 2, maxNodes: 4, endMs: 160_000 }).slice(0, 2),
    ['     4┤', '      ┤█'],
  )
})

test('a column has the means of its time, and the most jobs that waited', () => {
  assert.deepEqual(columnsOf(TRACE, { columns: 2, endMs: 80 }), [
    { pods: 3, room: 3, busy: 2, pending: 8, killed: 0 },
    { pods: 2.5, room: 2.5, busy: 2, pending: 2, killed: 1 },
  ])
})
