// A subcommand of `flux-metrics`, and the only access that it has to files, streams and the environment.
import { printableLines } from '#serving/text.ts'

/** Exit codes, the same for every subcommand. `warnings`: neither yes nor no. */
export const EXIT = { ok: 0, no: 1, usage: 2, warnings: 3 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A stream that text is written to. */
export interface Output {
  /** Whether it is shown on a terminal. */
  readonly isTerminal: boolean
  /** Columns of the terminal; `undefined` if it is none, or if they are not known. */
  readonly columns: number | undefined
  /** Lines of the terminal; `undefined` if it is none, or if they are not known. */
  readonly rows: number | undefined
  write(text: string): void
}

/** The files, streams and variables that a command may use. */
export interface Io {
  /** Standard output: results only, because other programs read it. */
  readonly out: Output
  /** Standard error: messages for the user. */
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** @throws Error of the file system */
  readFile(path: string): Promise<Uint8Array>
  /** @throws Error of the file system */
  writeFile(path: string, text: string): Promise<void>
  /** Creates a folder. @throws Error of the file system, also if there is anything of this name */
  createFolder(path: string): Promise<void>
  /** Opens a file for writing, to see whether that is possible. @throws Error of the file system */
  checkWritable(path: string): Promise<void>
  /** Whether standard input is a terminal, on which the user would have to type. */
  readonly inputIsTerminal: boolean
  /** Reads standard input to its end. */
  readInput(): Promise<Uint8Array>
  /** Calls `stop` on Ctrl-C and SIGTERM instead of ending the program. @returns ends this */
  onInterrupt(stop: () => void): () => void
  /** The version of this program. */
  readonly version: string
}

/** A row of `flux-metrics --help`. */
export interface Command {
  readonly name: string
  /** At most one line of help. */
  readonly summary: string
  /** The text of `--help`: lines of at most 80 characters. */
  help(io: Io): string
  /** @param args the arguments after the name */
  run(args: readonly string[], io: Io): Promise<ExitCode>
}

/** Reports wrong arguments of a command. */
export function refuseUsage(io: Io, command: string, problem: string): ExitCode {
  const name = `flux-metrics ${command}`
  return reportProblems(io, [`${name}: ${problem}`, `See ${name} --help`])
}

/** Reports problems with the arguments or the input, a line each. */
export function reportProblems(io: Io, problems: readonly string[]): ExitCode {
  for (const problem of problems) io.err.write(`${printableLines(problem)}\n`)
  return EXIT.usage
}

/** Reports why there is no result. Reasons of others, such as kubectl's, may have several lines. */
export function reportFailure(io: Io, command: string, reason: string): ExitCode {
  io.err.write(`flux-metrics ${command}: ${printableLines(reason)}\n`)
  return EXIT.no
}

/** Whether to write colours to a stream (no-color.org). */
export function hasColor(output: Output, { env }: Io): boolean {
  return output.isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}
