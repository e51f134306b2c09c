// The texts that a command reads: files and standard input.
import { getSystemErrorMap } from 'node:util'
import type { Io } from '../../command.ts'
import { type Document, type ReadResult, readDocuments } from './documents.ts'

export interface Input {
  /** The name in messages. */
  readonly name: string
  readonly text: string
}

const STANDARD_INPUT = '-'

/** How UTF-16 begins that was read as UTF-8: a byte order mark, and a Latin character, of which one byte is zero. */
const UTF_16 = /^(?:\uFFFD\uFFFD)?(?:[^\0]\0|\0[^\0])/
const EXPECTED_UTF_8 = 'expected UTF-8, got UTF-16, which ">" of Windows PowerShell writes'

/** Reads files; `-` is standard input, which is also read if no file is named. */
export async function readInputs(files: readonly string[], io: Io): Promise<ReadResult<Input>> {
  const found: Input[] = []
  const problems: string[] = []
  if (files.length === 0 && io.inputIsTerminal) {
    return {
      found,
      problems: ['Nothing to read: name a file with -f, or pipe one to standard input'],
    }
  }
  for (const file of files.length === 0 ? [STANDARD_INPUT] : files) {
    try {
      const isInput = file === STANDARD_INPUT
      const text = isInput ? await io.readInput() : await io.readFile(file)
      const name = isInput ? '<stdin>' : file
      if (UTF_16.test(text)) problems.push(`Cannot read ${name}: ${EXPECTED_UTF_8}`)
      else found.push({ name, text })
    } catch (error) {
      const reason = file === '' ? 'expected the name of a file' : reasonOf(error)
      problems.push(`Cannot read ${file || '""'}: ${reason}`)
    }
  }
  return { found, problems }
}

/** Reads the Kubernetes objects of files. */
export async function readDocumentFiles(
  files: readonly string[],
  io: Io,
): Promise<ReadResult<Document>> {
  const inputs = await readInputs(files, io)
  const results = inputs.found.map(({ name, text }) => readDocuments(text, name))
  return {
    found: results.flatMap((result) => result.found),
    problems: [...inputs.problems, ...results.flatMap((result) => result.problems)],
  }
}

/** The reason of an error, in the words of the operating system if it has one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!('errno' in error) || typeof error.errno !== 'number') return error.message
  if ('code' in error && error.code === 'EISDIR') return 'expected a file, got a folder'
  return getSystemErrorMap().get(error.errno)?.[1] ?? error.message
}
