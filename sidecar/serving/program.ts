// What every program of ours does around its work: arguments, environment, signals, exit codes.
import { parseArgs } from 'node:util'
import type { LogLevel, Variable, Variables } from './env.ts'
import { createLogger, type Logger } from './log.ts'

/** Exit code for what a start-up cannot go on with. */
const EXIT_USAGE = 2

/** A configuration, or everything that is wrong with it, a sentence each. */
export type ConfigReading<C> =
  | { readonly kind: 'config'; readonly config: C }
  | { readonly kind: 'problems'; readonly problems: readonly string[] }

/** Something that runs until it is closed. */
export interface Running {
  /** Resolves when it is over by itself, with the reason. */
  readonly over?: Promise<string>
  /** Ends in order. Within 10 s whatever clients do. */
  close(): Promise<void>
}

/** A program, as far as it is like every other. */
export interface Program<C extends { readonly logLevel: LogLevel }> {
  readonly name: string
  /** One sentence for `--help`. */
  readonly purpose: string
  readonly version: string
  readonly variables: readonly Variable[]
  readConfig(environment: Variables): ConfigReading<C>
  /** @throws Error that says what is wrong with what the configuration names */
  start(config: C, log: Logger): Promise<Running>
}

/** Runs it: returns after `--help` or `--version`, else exits, with code 0 when it was ended and 2 if it cannot start. */
export async function runProgram<C extends { readonly logLevel: LogLevel }>(
  program: Program<C>,
  environment: Variables,
): Promise<void> {
  const wanted = parseArguments()
  if (wanted.help) {
    process.stdout.write(helpOf(program))
    return
  }
  if (wanted.version) {
    process.stdout.write(`${program.version}\n`)
    return
  }
  const result = program.readConfig(environment)
  if (result.kind === 'problems')
    fail(['Cannot start:', ...result.problems.map((text) => `  ${text}`)])
  const log = createLogger(result.config.logLevel)
  // Ending would take the lead broker out of DNS, or admission away, while the container restarts. A defect cannot make
  // us serve a wrong number: what is not read again grows too old.
  process.on('uncaughtException', (err) => log.error({ err }, 'a defect, please report it'))
  let running: Running | undefined
  const stop = () => {
    if (running === undefined) process.exit(0)
    void running.close().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'could not end in order')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    running = await program.start(result.config, log)
  } catch (error) {
    fail([error instanceof Error ? error.message : String(error)])
  }
  if (running.over === undefined) return
  log.info({ reason: await running.over }, 'ending')
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
    `${purpose} Set by environment [default]:`,
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
