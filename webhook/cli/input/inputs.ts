// The texts that a command is given: files and standard input.
import { getSystemErrorMessage } from 'node:util'
import type { Io } from '../command.ts'
import type { ReadResult } from './documents.ts'

export interface Input {
  /** What people are told. */
  readonly name: string
  readonly text: string
}

const STANDARD_INPUT = '-'

/** Reads files, `-` for standard input, which is also read if none is named. */
export async function readInputs(files: readonly string[], io: Io): Promise<ReadResult<Input>> {
  const found: Input[] = []
  const problems: string[] = []
  if (files.length === 0 && io.inputIsTerminal) {
    return { found, problems: ['Nothing to read: name a file with -f, or send something here'] }
  }
  for (const file of files.length === 0 ? [STANDARD_INPUT] : files) {
    try {
      const isInput = file === STANDARD_INPUT
      const text = isInput ? await io.readInput() : await io.readFile(file)
      found.push({ name: isInput ? '<stdin>' : file, text })
    } catch (error) {
      problems.push(`Cannot read ${file}: ${reasonOf(error)}`)
    }
  }
  return { found, problems }
}

/** Of the file system, in its words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!('errno' in error) || typeof error.errno !== 'number') return error.message
  return getSystemErrorMessage(error.errno)
}
