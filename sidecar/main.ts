// The program of the sidecar's image: the only file of sidecar/ that reads the environment. What it starts is in
// sidecar.ts.
import { runProgram } from '#serving/program.ts'
import packageJson from '../package.json' with { type: 'json' }
import { readConfig, VARIABLES } from './config.ts'
import { startSidecar } from './sidecar.ts'

const { version } = packageJson

/** How often a port that another program has is tried again. */
const RETRY_MS = 5_000

void runProgram(
  {
    name: 'sidecar',
    purpose: 'Serves the metrics of a Flux instance as custom.metrics.k8s.io.',
    version,
    variables: VARIABLES,
    readConfig,
    start: async (config, log) => {
      const sidecar = await startSidecar(config, { log, version, retryMs: RETRY_MS })
      return { over: sidecar.brokerGone, close: () => sidecar.close() }
    },
  },
  process.env,
)
