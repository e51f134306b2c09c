// The command `flux-metrics`: the table of its subcommands, its help, and which one is meant.
import { nearestNames } from '#serving/nearest.ts'
import { type Command, EXIT, type ExitCode, type Io, reportProblems } from './command.ts'
import { EXPLAIN } from './explain/explain.ts'
import { HPA } from './hpa/hpa.ts'
import { INJECT } from './inject/inject.ts'
import { SIMULATE } from './simulate/simulate.ts'

/** To add a subcommand, add its row. */
export const COMMANDS: readonly Command[] = [INJECT, HPA, EXPLAIN, SIMULATE]

const NAME = 'flux-metrics'

/** Runs what the arguments say. */
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
  if (command === undefined) return reportProblems(io, unknown(name, commands))
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
    'Metrics of a Flux MiniCluster for its HorizontalPodAutoscaler.',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `${NAME} COMMAND --help tells more. ${NAME} --version tells the version.`,
    '',
  ].join('\n')
}

function unknown(name: string, commands: readonly Command[]): readonly string[] {
  const names = commands.map((command) => command.name)
  const nearest = nearestNames(name, names)
  const hint = nearest.length > 0 ? `did you mean ${nearest.join(' or ')}?` : `see ${NAME} --help`
  return [`${NAME}: unknown command "${name}", ${hint}`]
}
