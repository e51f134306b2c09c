// Recordings of the real controller: one line with its version and its options, then one line for each case.
import type { HpaControllerOptions } from '../../webhook/cli/hpa-controller/controller.ts'
import type { HpaCase } from './hpa-cases.ts'
import { type Observed, plannedSyncs } from './hpa-conformance.ts'

export interface RecordedCase {
  readonly hpaCase: HpaCase
  readonly observed: Observed
}

export interface Recording {
  /** The version of the server, such as `v1.37.2`. */
  readonly kubernetes: string
  readonly options: HpaControllerOptions
  readonly cases: readonly RecordedCase[]
}

/** Lines of JSON. Times count from the first sync; observations after the planned syncs are left out. */
export function formatRecording({ kubernetes, options, cases }: Recording): string {
  const lines = cases.map(({ hpaCase, observed }): RecordedCase => {
    const planned = plannedSyncs(hpaCase)
    const [start = 0] = observed.times
    return {
      hpaCase,
      observed: {
        times: observed.times.slice(0, planned).map((time) => time - start),
        statuses: observed.statuses.slice(0, planned),
        sizes: observed.sizes.slice(0, planned + 1),
      },
    }
  })
  return [{ kubernetes, options }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}

export function parseRecording(text: string): Recording {
  const [first = '', ...lines] = text.trimEnd().split('\n')
  return { ...JSON.parse(first), cases: lines.map((line) => JSON.parse(line)) }
}
