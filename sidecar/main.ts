// The program: arguments, environment, signals, exit codes.
import { parseArgs } from 'node:util'
import { createLogger } from '#serving/log.ts'
import packageJson from '../package.json' with { type: 'json' }
import { readConfig, VARIABLES } from './config.ts'
import { type Sidecar, startSidecar } from './sidecar.ts'

/** Exit code for what a start-up cannot go on with. */
const EXIT_USAGE = 2

function help(): string {
  const width = Math.max(...VARIABLES.map(({ name }) => name.length))
  const rows = VARIABLES.map(
    ({ name, fallback, meaning }) => `  ${name.padEnd(width)}  ${meaning} [${fallback}]`,
  )
  return [
    'Usage: sidecar [--help] [--version]',
    '',
    'Serves the metrics of a Flux instance as custom.metrics.k8s.io. Set by environment [default]:',
    '',
    ...rows,
    '',
  ].join('\n')
}

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(EXIT_USAGE)
}

function parseArguments(): { readonly help: boolean; readonly version: boolean } {
  const options = {
    help: { type: 'boolean', default: false },
    version: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ options, allowPositionals: false }).values
  } catch (error) {
    return fail([error instanceof Error ? error.message : String(error), 'See --help'])
  }
}

async function main(): Promise<void> {
  const wanted = parseArguments()
  if (wanted.help) {
    process.stdout.write(help())
    return
  }
  if (wanted.version) {
    process.stdout.write(`${packageJson.version}\n`)
    return
  }
  const result = readConfig(process.env)
  if (result.kind === 'problems')
    fail(['Cannot start:', ...result.problems.map((text) => `  ${text}`)])
  const log = createLogger(result.config.logLevel)
  // Ending would take the lead broker out of DNS while the container restarts. A defect cannot make us serve a wrong
  // number: what is not read again grows too old.
  process.on('uncaughtException', (err) => log.error({ err }, 'a defect, please report it'))
  let sidecar: Sidecar | undefined
  const stop = () => {
    if (sidecar === undefined) process.exit(0)
    void sidecar.close().then(() => process.exit(0))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    sidecar = await startSidecar(result.config, { log, version: packageJson.version })
  } catch (error) {
    fail([error instanceof Error ? error.message : String(error)])
  }
  await sidecar.brokerGone
  log.info({}, 'the broker is gone for good')
  stop()
}

void main()
