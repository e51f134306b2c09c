// Error codes and error numbers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRNO, errnoName, FluxError, isRemote } from '#flux/errors.ts'

test('errnoName returns the symbolic name of a known number', () => {
  assert.equal(errnoName(ERRNO.EPERM), 'EPERM')
  assert.equal(errnoName(61), 'ENODATA')
})

test('errnoName returns the number itself if it has no name', () => {
  assert.equal(errnoName(4095), 'errno 4095')
})

test('FluxError carries code, errnum, topic and cause', () => {
  const cause = new Error('why')
  const error = new FluxError('FLUX_REMOTE', 'It failed', { errnum: 38, topic: 'a.b', cause })
  const { name, code, message, errnum, topic } = error
  assert.deepEqual(
    { name, code, message, errnum, topic },
    { name: 'FluxError', code: 'FLUX_REMOTE', message: 'It failed', errnum: 38, topic: 'a.b' },
  )
  assert.equal(error.cause, cause)
})

test('isRemote is true only for an error answer of a broker with this errnum', () => {
  const answer = new FluxError('FLUX_REMOTE', 'It failed', { errnum: ERRNO.ENOSYS })
  assert.equal(isRemote(answer, ERRNO.ENOSYS), true)
  assert.equal(isRemote(answer, ERRNO.EPERM), false)
  const refusal = new FluxError('FLUX_CONNECT', 'Refused', { errnum: ERRNO.ENOSYS })
  assert.equal(isRemote(refusal, ERRNO.ENOSYS), false)
  assert.equal(isRemote(new Error('ENOSYS'), ERRNO.ENOSYS), false)
})
