import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseIdset } from '#flux/sets/idset.ts'
import {
  boundaryOf,
  cellOf,
  gridFor,
  MAX_CELLS,
  rankAt,
  shapesOf,
  square,
} from '../../../../../../webhook/cli/dashboard/page/ranks/rank-grid.ts'

test('every rank that is drawn is found where it stands, at any size and width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (ranks, width, any) => {
        const grid = gridFor(ranks, width)
        assert.equal(grid.count, Math.min(ranks, MAX_CELLS))
        assert.ok(grid.columns * grid.pitch <= Math.max(width, grid.pitch))
        assert.ok(grid.columns * grid.rows >= grid.count)
        const rank = any % grid.count
        const [x, y] = cellOf(rank, grid)
        assert.equal(rankAt(x + grid.side / 2, y + grid.side / 2, grid), rank)
      },
    ),
  )
})

test('beside the ranks there is none', () => {
  const grid = gridFor(10, 200)
  for (const [x, y] of [
    [-1, 0],
    [0, -1],
    [10_000, 0],
    [0, 10_000],
  ] as const) {
    assert.equal(rankAt(x, y, grid), undefined)
  }
})

test('few ranks are large, thousands are small and fit', () => {
  assert.equal(gridFor(16, 800).pitch, 42)
  const many = gridFor(4_096, 1_000)
  assert.ok(many.pitch < 10)
  assert.equal(many.columns % 10, 0)
})

test('a huge rank in an idset draws no more than is there', () => {
  const grid = gridFor(4, 400)
  const drawn = shapesOf(parseIdset('2-4294967294'), grid, square)
  assert.equal(drawn.split('M').length - 1, 2)
})

test('the boundary runs between the ranks below a size and the others', () => {
  const grid = { count: 30, columns: 10, rows: 3, pitch: 10, side: 8 }
  assert.equal(boundaryOf(4, { ...grid, count: 10, rows: 1 }), 'M39 -1V9')
  assert.equal(boundaryOf(14, grid), 'M99 9H39V19H-1')
  assert.equal(boundaryOf(20, grid), 'M-1 19H99')
  assert.equal(boundaryOf(30, grid), 'M99 19V29')
  assert.equal(boundaryOf(4, grid), 'M39 -1V9H-1')
  assert.equal(boundaryOf(24, grid), 'M99 19H39V29')
})
