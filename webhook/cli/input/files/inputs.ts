// The texts that a command reads: files and standard input.
import { getSystemErrorMap } from 'node:util'
import type { Io } from '../../command.ts'
import { type Document, type ReadResult, readDocuments } from './documents.ts'
import { type Decoded, decodeUtf8 } from './utf8.ts'

export interface Input {
  /** The name in messages. */
  readonly name: string
  readonly text: string
}

const STANDARD_INPUT = '-'

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
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    return { found, problems: ['Standard input (-) can be read only once: it is named twice'] }
  }
  for (const file of files.length === 0 ? [STANDARD_INPUT] : files) {
    const isInput = file === STANDARD_INPUT
    const name = isInput ? '<stdin>' : file
    const decoded = await (isInput ? readText(name, io.readInput) : readTextFile(file, io))
    if (decoded.kind === 'problem') problems.push(decoded.problem)
    else found.push({ name, text: decoded.text })
  }
  return { found, problems }
}

/** Reads one file. Never rejects. */
export function readTextFile(file: string, io: Io): Promise<Decoded> {
  return readText(file, () => io.readFile(file))
}

async function readText(name: string, read: () => Promise<Uint8Array>): Promise<Decoded> {
  try {
    return decodeUtf8(await read(), name)
  } catch (error) {
    const reason = name === '' ? 'expected the name of a file' : reasonOf(error)
    return { kind: 'problem', problem: `Cannot read ${name || '""'}: ${reason}` }
  }
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
