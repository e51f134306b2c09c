// The command `flux-metrics`: the table of its subcommands, its help, and the choice of the subcommand to run.
import { nearestNames } from '#serving/nearest.ts'
import { ADOPT } from './adopt/adopt.ts'
import { type Command, EXIT, type ExitCode, type Io, reportProblems } from './command.ts'
import { DASHBOARD } from './dashboard/dashboard.ts'
import { DOCTOR } from './doctor/doctor.ts'
import { EXPLAIN } from './explain/explain.ts'
import { HPA } from './hpa/hpa.ts'
import { INJECT } from './inject/inject.ts'
import { SIMULATE } from './simulate/simulate.ts'
import { TOP } from './top/top.ts'

/** To add a subcommand, add its row. */
export const COMMANDS: readonly Command[] = [
  INJECT,
  HPA,
  EXPLAIN,
  TOP,
  DASHBOARD,
  DOCTOR,
  SIMULATE,
  ADOPT,
]

const NAME = 'flux-metrics'

/** Runs the subcommand that the first argument names. */
export async function runCommand(
  args: readonly string[],
  io: Io,
  commands: readonly Command[] = COMMANDS,
): Promise<ExitCode> {
  const [first, ...rest] = args
  if (first === undefined) return reportProblems(io, [helpOf(commands).trimEnd()])
  if (first === '--version') return print(io, `${io.version}\n`)
  if (isHelp(first)) return print(io, helpOf(commands))
  const help = first === 'help'
  const name = help ? rest[0] : first
  if (name === undefined) return print(io, helpOf(commands))
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) return reportProblems(io, [unknownCommand(name, commands)])
  if (help || rest.some(isHelp)) return print(io, command.help(io))
  return command.run(rest, io)
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h'
}

function print(io: Io, text: string): ExitCode {
  io.out.write(text)
  return EXIT.ok
}

function helpOf(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    `Usage: ${NAME} COMMAND [options]`,
    '',
    'Tools for the metrics of a Flux MiniCluster and for its HorizontalPodAutoscaler.',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `Run "${NAME} COMMAND --help" for the options of a command, and`,
    `"${NAME} --version" for the version.`,
    '',
  ].join('\n')
}

function unknownCommand(name: string, commands: readonly Command[]): string {
  if (name.startsWith('-')) {
    return `${NAME}: expected a command before its options, got "${name}", see ${NAME} --help`
  }
  const names = commands.map((command) => command.name)
  const nearest = nearestNames(name.toLowerCase(), names)
  const hint = nearest.length > 0 ? `did you mean ${nearest.join(' or ')}?` : `see ${NAME} --help`
  return `${NAME}: unknown command "${name}", ${hint}`
}
