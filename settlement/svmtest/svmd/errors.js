'use strict';
// Errors: those of the RPC itself, and the runtime's, which LiteSVM gives as numbers and a validator as names.

const { TransactionErrorInstructionError, TransactionErrorInsufficientFundsForRent, TransactionErrorDuplicateInstruction } =
  require('litesvm/dist/internal.js');

const INVALID_PARAMS = -32602;

// RpcError is an error that is the caller's answer.
class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const invalid = (message) => new RpcError(INVALID_PARAMS, message);

// In the order of solana-transaction-error's enum.
const TRANSACTION = [
  'AccountInUse', 'AccountLoadedTwice', 'AccountNotFound', 'ProgramAccountNotFound', 'InsufficientFundsForFee',
  'InvalidAccountForFee', 'AlreadyProcessed', 'BlockhashNotFound', 'CallChainTooDeep', 'MissingSignatureForFee',
  'InvalidAccountIndex', 'SignatureFailure', 'InvalidProgramForExecution', 'SanitizeFailure', 'ClusterMaintenance',
  'AccountBorrowOutstanding', 'WouldExceedMaxBlockCostLimit', 'UnsupportedVersion', 'InvalidWritableAccount',
  'WouldExceedMaxAccountCostLimit', 'WouldExceedAccountDataBlockLimit', 'TooManyAccountLocks', 'AddressLookupTableNotFound',
  'InvalidAddressLookupTableOwner', 'InvalidAddressLookupTableData', 'InvalidAddressLookupTableIndex',
  'InvalidRentPayingAccount', 'WouldExceedMaxVoteCostLimit', 'WouldExceedAccountDataTotalLimit',
  'MaxLoadedAccountsDataSizeExceeded', 'ResanitizationNeeded', 'InvalidLoadedAccountsDataSizeLimit',
  'UnbalancedTransaction', 'ProgramCacheHitMaxLimit', 'CommitCancelled',
];

// In the order of LiteSVM's InstructionErrorFieldless.
const INSTRUCTION = [
  'GenericError', 'InvalidArgument', 'InvalidInstructionData', 'InvalidAccountData', 'AccountDataTooSmall',
  'InsufficientFunds', 'IncorrectProgramId', 'MissingRequiredSignature', 'AccountAlreadyInitialized', 'UninitializedAccount',
  'UnbalancedInstruction', 'ModifiedProgramId', 'ExternalAccountLamportSpend', 'ExternalAccountDataModified',
  'ReadonlyLamportChange', 'ReadonlyDataModified', 'DuplicateAccountIndex', 'ExecutableModified', 'RentEpochModified',
  'NotEnoughAccountKeys', 'AccountDataSizeChanged', 'AccountNotExecutable', 'AccountBorrowFailed',
  'AccountBorrowOutstanding', 'DuplicateAccountOutOfSync', 'InvalidError', 'ExecutableDataModified',
  'ExecutableLamportChange', 'ExecutableAccountNotRentExempt', 'UnsupportedProgramId', 'CallDepth', 'MissingAccount',
  'ReentrancyNotAllowed', 'MaxSeedLengthExceeded', 'InvalidSeeds', 'InvalidRealloc', 'ComputationalBudgetExceeded',
  'PrivilegeEscalation', 'ProgramEnvironmentSetupFailure', 'ProgramFailedToComplete', 'ProgramFailedToCompile', 'Immutable',
  'IncorrectAuthority', 'AccountNotRentExempt', 'InvalidAccountOwner', 'ArithmeticOverflow', 'UnsupportedSysvar',
  'IllegalOwner', 'MaxAccountsDataAllocationsExceeded', 'MaxAccountsExceeded', 'MaxInstructionTraceLengthExceeded',
  'BuiltinProgramsMustConsumeComputeUnits', 'BorshIoError',
];

// Transactions with these errors are dropped by a validator: they are in no block and cost no fee.
const DROPPED = new Set([
  'BlockhashNotFound', 'AlreadyProcessed', 'SignatureFailure', 'SanitizeFailure', 'InsufficientFundsForFee',
  'AccountNotFound', 'InvalidAccountForFee', 'AddressLookupTableNotFound', 'InvalidAddressLookupTableIndex',
  'InvalidAddressLookupTableData', 'InvalidAddressLookupTableOwner', 'TooManyAccountLocks', 'AccountLoadedTwice',
  'UnsupportedVersion', 'MissingSignatureForFee', 'InvalidAccountIndex',
]);

// Transactions with these errors pay their fee and do nothing else: TransactionLoadResult::FeesOnly of agave's svm.
const FEES_ONLY = new Set(['InvalidProgramForExecution', 'ProgramAccountNotFound', 'MaxLoadedAccountsDataSizeExceeded']);

// transactionError returns a runtime error as the RPC's JSON has it.
function transactionError(e) {
  if (typeof e === 'number') return TRANSACTION[e] ?? `Error${e}`;
  if (e instanceof TransactionErrorInstructionError) return { InstructionError: [e.index, instructionError(e.err())] };
  if (e instanceof TransactionErrorInsufficientFundsForRent) {
    return { InsufficientFundsForRent: { account_index: e.accountIndex } };
  }
  if (e instanceof TransactionErrorDuplicateInstruction) return { DuplicateInstruction: e.index };
  return String(e);
}

function instructionError(e) {
  if (typeof e === 'number') return INSTRUCTION[e] ?? `Error${e}`;
  if (e.code !== undefined) return { Custom: e.code };
  return { BorshIoError: e.msg };
}

// DESCRIBED are errors as a validator writes them in a message, of those that clients look for.
const DESCRIBED = {
  BlockhashNotFound: 'Blockhash not found',
  AlreadyProcessed: 'This transaction has already been processed',
  AccountNotFound: 'Attempt to debit an account but found no record of a prior credit.',
  InsufficientFundsForFee: 'Insufficient funds for fee',
  ProgramAccountNotFound: 'Attempt to load a program that does not exist',
};

// describe returns the text of a transaction's error for a message.
function describe(error) {
  if (typeof error === 'string') return DESCRIBED[error] ?? error;
  if (!error.InstructionError) return JSON.stringify(error);
  const [index, why] = error.InstructionError;
  const text = typeof why === 'string' ? why : why.Custom === undefined ? JSON.stringify(why) : `custom program error: 0x${why.Custom.toString(16)}`;
  return `Error processing Instruction ${index}: ${text}`;
}

module.exports = { describe, RpcError, invalid, transactionError, DROPPED, FEES_ONLY };
