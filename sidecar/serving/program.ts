// The frame of the sidecar's and the webhook's program: arguments, environment, signals, exit codes. What a program does
// in between is its own.
import { parseArgs } from 'node:util'
import type { LogLevel, Variable, Variables } from './env.ts'
import { createLogger, type Logger } from './log.ts'
import { messageOf } from './text.ts'

/** Exit code when the program cannot start. */
const EXIT_USAGE = 2

/** A configuration, or one sentence for each problem with it. */
export type ConfigReading<C> =
  | { readonly kind: 'config'; readonly config: C }
  | { readonly kind: 'problems'; readonly problems: readonly string[] }

/** A started program: runs until it is closed. */
export interface Running {
  /** Resolves with the reason when the program has to end by itself. */
  readonly over?: Promise<string>
  /** Stops cleanly, well within the grace period of a pod (30 s). */
  close(): Promise<void>
}

/** One program: its `--help`, its configuration and its start. */
export interface Program<C extends { readonly logLevel: LogLevel }> {
  readonly name: string
  /** One sentence for `--help`. */
  readonly purpose: string
  readonly version: string
  readonly variables: readonly Variable[]
  readConfig(environment: Variables): ConfigReading<C>
  /** @throws Error that says which file or port of the configuration cannot be used, and why */
  start(config: C, log: Logger): Promise<Running>
}

/** Runs a program. Returns after `--help` or `--version`; else exits with 0 after a stop, with 2 if it cannot start. */
export async function runProgram<C extends { readonly logLevel: LogLevel }>(
  program: Program<C>,
  environment: Variables,
): Promise<void> {
  const { help, version } = parseArguments()
  if (help) {
    process.stdout.write(helpOf(program))
    return
  }
  if (version) {
    process.stdout.write(`${program.version}\n`)
    return
  }
  const result = program.readConfig(environment)
  if (result.kind === 'problems')
    fail(['Cannot start:', ...result.problems.map((text) => `  ${text}`)])
  const log = createLogger(result.config.logLevel)
  // An exit would remove the lead broker from DNS, or stop admission, while the container restarts. After a defect no
  // wrong number is served: a snapshot that is not refreshed becomes stale and is not served.
  process.on('uncaughtException', (err) => log.error({ err }, 'a defect, please report it'))
  let running: Running | undefined
  const stop = () => {
    if (running === undefined) process.exit(0)
    void running.close().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'cannot stop cleanly: exiting')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    running = await program.start(result.config, log)
  } catch (error) {
    fail([messageOf(error)])
  }
  if (running.over === undefined) return
  log.info({ reason: await running.over }, 'the program ends by itself')
  stop()
}

function helpOf({
  name,
  purpose,
  variables,
}: Pick<Program<never>, 'name' | 'purpose' | 'variables'>) {
  const width = Math.max(...variables.map((variable) => variable.name.length))
  const rows = variables.map(
    (variable) => `  ${variable.name.padEnd(width)}  ${variable.meaning} [${variable.fallback}]`,
  )
  return [
    `Usage: ${name} [--help] [--version]`,
    '',
    `${purpose} Environment variables [default]:`,
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
    return fail([messageOf(error), 'See --help'])
  }
}
