// The simulation against reality: a run of a MiniCluster under an HPA on a real cluster, recorded by test/e2e/record-scaling.ts,
// is simulated from its jobs and its HPA alone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import { readDocuments } from '../../../../webhook/cli/input/files/documents.ts'
import { readHpa } from '../../../../webhook/cli/simulate/input/hpa-source.ts'
import { readRecording } from '../../../../webhook/cli/simulate/input/jobs-recording.ts'
import { Simulation, TIMES } from '../../../../webhook/cli/simulate/simulation.ts'

/** In seconds since the epoch. */
const Change = v.object({ at: v.number(), size: v.number() })

const Run = v.object({
  hpaCreatedAt: v.number(),
  sizes: v.array(Change),
  nodes: v.object({ start: v.number(), max: v.number(), cores: v.number() }),
  idleGraceSeconds: v.number(),
  hpa: v.unknown(),
  jobs: v.array(v.looseObject({ t_submit: v.number() })),
})

const PATH = join(import.meta.dirname, '../../../recordings/scaling/run.json')

/** The e2e tests shorten the grace of pods; all other times are those of the command. */
const TIMES_THERE = { graceMs: 5_000 }

test('each size is set within one sync of the time at which a real HPA set it', () => {
  const { sizes, nodes, idleGraceSeconds, hpaCreatedAt, ...run } = v.parse(
    Run,
    JSON.parse(readFileSync(PATH, 'utf8')),
  )
  const [document] = readDocuments(JSON.stringify(run.hpa), 'run.json').found
  assert.ok(document !== undefined)
  const [hpa] = readHpa(document).found
  const [recording] = readRecording(JSON.stringify({ jobs: run.jobs }), 'run.json').found
  assert.ok(hpa !== undefined && recording !== undefined)
  const firstMs = (Math.min(...run.jobs.map((job) => job.t_submit)) - hpaCreatedAt) * 1000
  const simulation = new Simulation({
    instance: { maxSize: nodes.max, coresPerNode: nodes.cores },
    size: nodes.start,
    arrivals: recording.jobs.map(({ arrival }) => ({
      ...arrival,
      atMs: Math.round(firstMs + arrival.atMs),
    })),
    hpa: hpa.spec,
    quorum: nodes.start,
    snapshots: { drains: undefined, patience: { idleGraceMs: idleGraceSeconds * 1000 } },
    times: TIMES_THERE,
  })
  const seen = sizes.map(({ at, size }) => ({ atMs: (at - hpaCreatedAt) * 1000, size }))
  const simulated = [{ atMs: 0, size: simulation.size }]
  const endMs = (seen.at(-1)?.atMs ?? 0) + 2 * TIMES.syncMs
  while (simulation.elapsedMs < endMs) {
    simulation.step()
    const { size, elapsedMs } = simulation
    if (size !== simulated.at(-1)?.size) simulated.push({ atMs: elapsedMs, size })
  }
  assert.deepEqual(
    simulated.map(({ size }) => size),
    seen.map(({ size }) => size),
  )
  assert.ok(seen.length > 5, 'a run with growth and shrinking in steps')
  for (const [index, { atMs, size }] of seen.entries()) {
    const differenceMs = Math.abs((simulated[index]?.atMs ?? 0) - atMs)
    assert.ok(differenceMs <= TIMES.syncMs, `size ${size}: ${differenceMs} ms apart`)
  }
  assert.ok(simulation.isDone)
  assert.deepEqual(simulation.losses, [])
})
