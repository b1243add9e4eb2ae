import { closeSync, readSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { usageError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';

export interface PassphraseOptions {
  readonly passphraseFd?: number;
}

/** The option of every command that may need the keys of an authority. */
export function withPassphraseOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--passphrase-fd <n>',
      `file descriptor with the passphrase of the keys (or ${PASSPHRASE_VARIABLE})`,
    ).argParser(readNumber(0, FILE_DESCRIPTOR_MAX)),
  );
}

/** The option of the passphrase of an authority above. */
export function withParentPassphraseOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--parent-passphrase-fd <n>',
      `file descriptor with the passphrase of --parent (or ${PARENT_PASSPHRASE_VARIABLE})`,
    ).argParser(readNumber(0, FILE_DESCRIPTOR_MAX)),
  );
}

/** The passphrase of the keys; undefined: none is given. */
export function passphraseOf(options: PassphraseOptions): string | undefined {
  return givenPassphrase(options.passphraseFd, PASSPHRASE_VARIABLE);
}

/** The passphrase of the keys of the authority above; undefined: none is given. */
export function parentPassphraseOf(options: {
  readonly parentPassphraseFd?: number;
}): string | undefined {
  return givenPassphrase(options.parentPassphraseFd, PARENT_PASSPHRASE_VARIABLE);
}

/**
 * From the file descriptor, else from the environment. It is taken out of the environment: a
 * program that is started from here does not get it.
 */
function givenPassphrase(fileDescriptor: number | undefined, variable: string) {
  const fromEnvironment = process.env[variable];
  delete process.env[variable];
  if (fileDescriptor !== undefined) return readPassphrase(fileDescriptor);
  if (fromEnvironment === '') {
    throw usageError(`${variable} is empty; set a passphrase, or unset it`);
  }
  return fromEnvironment;
}

/** All up to the end of the file or of its first line. */
function readPassphrase(fileDescriptor: number): string {
  const bytes = Buffer.alloc(PASSPHRASE_BYTES_MAX + 1);
  let length = 0;
  try {
    while (length < bytes.length) {
      // One by one: what follows the line, such as a password, is for another reader.
      if (readSync(fileDescriptor, bytes, length, 1, null) === 0) break;
      length += 1;
      if (bytes[length - 1] === LINE_FEED) break;
    }
    if (fileDescriptor > STANDARD_ERROR) closeSync(fileDescriptor);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw usageError(
      `the passphrase cannot be read from file descriptor ${fileDescriptor}: ${code}`,
    );
  }
  const [line = ''] = bytes.subarray(0, length).toString('utf8').split('\n');
  bytes.fill(0);
  const passphrase = line.replace(/\r$/, '');
  if (passphrase !== '' && length <= PASSPHRASE_BYTES_MAX) return passphrase;
  throw usageError(
    `file descriptor ${fileDescriptor} holds no passphrase of 1 to ${PASSPHRASE_BYTES_MAX} bytes`,
  );
}

const PASSPHRASE_VARIABLE = 'XOR_CA_PASSPHRASE';
const PARENT_PASSPHRASE_VARIABLE = 'XOR_CA_PARENT_PASSPHRASE';
const PASSPHRASE_BYTES_MAX = 1_024;
const FILE_DESCRIPTOR_MAX = 1_023;
const STANDARD_ERROR = 2;
const LINE_FEED = 0x0a;
