// What a subcommand of `flux-metrics` is, and all it may do to the world outside.

/** Exit codes, the same for every subcommand. */
export const EXIT = { ok: 0, no: 1, usage: 2 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Where text goes. */
export interface Output {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean
  write(text: string): void
}

/** Everything that a command may touch. */
export interface Io {
  /** Results, and nothing else: others read them. */
  readonly out: Output
  /** What people are told besides. */
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** @throws Error of the file system */
  readFile(path: string): Promise<string>
  /** @throws Error of the file system */
  writeFile(path: string, text: string): Promise<void>
  /** Whether a person would have to type what `readInput` reads. */
  readonly inputIsTerminal: boolean
  /** Standard input, whole. */
  readInput(): Promise<string>
  /** Of this program. */
  readonly version: string
}

/** A row of `flux-metrics --help`. */
export interface Command {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** What `--help` prints. */
  help(io: Io): string
  /** @param args what follows the name */
  run(args: readonly string[], io: Io): Promise<ExitCode>
}

/** Tells what is wrong with how a command was called or with what it was given. */
export function reportProblems(io: Io, problems: readonly string[]): ExitCode {
  for (const problem of problems) io.err.write(`${problem}\n`)
  return EXIT.usage
}

/** Whether to colour what goes there (no-color.org). */
export function hasColor(output: Output, { env }: Io): boolean {
  return output.isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}
