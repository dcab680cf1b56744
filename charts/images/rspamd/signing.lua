--[[
Chooses what a message is signed and sealed with. Rspamd's own modules dkim_signing and arc do it (their sign_condition).

The agent keeps a file for each hosted domain, also for one without keys:

    2 comune.example                            how many, and whose boxes send as the domain
    r20261201 rsa-sha256 MIIEv…                 selector, algorithm, key (PKCS#8 in base64)
    e20261201 ed25519-sha256 MC4CA…

It is read for each message: once the agent has renamed a new file into place nothing is signed by the old one. What should be signed and is
not, waits: a file that is missing or damaged, a key that cannot be used.
]]

local rspamd_util = require "rspamd_util"
local rspamd_logger = require "rspamd_logger"

local FOLDER = '/var/lib/cst/rspamd/'
local ALGORITHMS = { ['rsa-sha256'] = true, ['ed25519-sha256'] = true }

-- The signers and the owner of a domain; nil and why: the domain cannot be judged now.
local function read_signers(domain)
  if not domain or not domain:match('^[a-z0-9_-][a-z0-9._-]*$') then
    return nil, 'is no name of a hosted domain'
  end
  local file = io.open(FOLDER .. domain, 'r')
  if not file then
    return nil, 'has no file'
  end
  local text = file:read('*a')
  file:close()
  local count, owner = (text or ''):match('^(%d+) (%S+)\n')
  local signers = {}
  for selector, algorithm, key in (text or ''):gmatch('\n(%S+) (%S+) (%S+)') do
    if ALGORITHMS[algorithm] then
      signers[#signers + 1] = { domain = domain, selector = selector, algorithm = algorithm, key = key }
    end
  end
  if tonumber(count) ~= #signers then
    return nil, 'has a damaged file'
  end
  return signers, owner
end

-- What stands before the seed in an Ed25519 key, after its length (RFC 8410 §7; version 1 or 2).
local ED25519 = '^0.\2\1[%z\1]0\5\6\3%+ep\4"\4 '

-- A key as Rspamd takes it: an Ed25519 key as its seed in base64, an RSA key as PEM. nil: it is neither. Rspamd guesses which it has, by the first
-- octets: a bare seed that begins with "/" or with digits of base64 and "=" it would take for something else, and tell the log all of it. A
-- blank before it keeps a "/" from being the first.
local function raw_key(signer)
  if signer.algorithm == 'ed25519-sha256' then
    local key = tostring(rspamd_util.decode_base64(signer.key) or '')
    return key:match(ED25519) and #key >= 48 and ' ' .. tostring(rspamd_util.encode_base64(key:sub(17, 48))) or nil
  end
  return '-----BEGIN PRIVATE KEY-----\n' .. signer.key:gsub(('.'):rep(64), '%0\n') .. '\n-----END PRIVATE KEY-----\n'
end

local function wanted(signer, key)
  return { domain = signer.domain, selector = signer.selector, rawkey = key }
end

-- What Dovecot sends for boxes comes from the service `onward` of Postfix (master.cf).
local function is_onward(task)
  return tostring(task:get_request_header('MTA-Name') or '') == 'onward'
end

local function header_domain(task)
  local from = task:get_from('mime')
  return from and from[1] and from[1].domain and from[1].domain:lower()
end

-- A box's own answer: it has no sender, and was not sent on. Dovecot greets with the domain of the box's login, whatever From a user's script gives.
local function is_answer(task)
  local sender = task:get_from('smtp')
  local is_null = not sender or not sender[1] or (sender[1].addr or '') == ''
  return is_null and not task:get_header('X-Sieve-Redirected-From')
end

-- The signers that a message must have; nil: it is none to be signed; false: that cannot be told now.
local function due(task)
  local domain = header_domain(task)
  if task:get_user() then
    local signers, why = read_signers(domain)
    if not signers then
      rspamd_logger.errx(task, 'the domain of the header From %s: the message waits', why)
      return false
    end
    return signers
  end
  if is_onward(task) and is_answer(task) then
    local signers, owner = read_signers(domain)
    local greeting = (task:get_helo() or ''):lower()
    return signers and (greeting == domain or greeting == owner) and signers or nil
  end
  return nil
end

local signing = {}

-- For dkim_signing.
function signing.sign(task)
  local signers = due(task)
  task:cache_set('signatures_due', signers and #signers or (signers == false and -1 or 0))
  if not signers or #signers == 0 then
    return nil
  end
  local keys = {}
  for _, signer in ipairs(signers) do
    local key = raw_key(signer)
    if not key then
      return nil
    end
    keys[#keys + 1] = wanted(signer, key)
  end
  return keys
end

-- For arc: what a box sends on is sealed by its domain, with the verdict that Postfix' reception got from us (nobody else's
-- Authentication-Results comes past it). ARC knows RSA only (RFC 8617 §4.1.1).
function signing.seal(task)
  if not is_onward(task) or is_answer(task) or not task:get_header('Authentication-Results') then
    return nil
  end
  local sender = task:get_from('smtp')
  local domain = sender and sender[1] and sender[1].domain or ''
  if domain == '' then
    domain = task:get_helo() or ''
  end
  for _, signer in ipairs(read_signers(domain:lower()) or {}) do
    if signer.algorithm == 'rsa-sha256' then
      return wanted(signer, raw_key(signer))
    end
  end
  return nil
end

cst_signing = signing

-- What was to be signed and is not, waits.
rspamd_config:register_symbol({
  name = 'CST_SIGNED',
  type = 'postfilter',
  priority = 10,
  callback = function(task)
    if not task:get_user() and not is_onward(task) then
      return
    end
    local expected = task:cache_get('signatures_due') or -1
    local symbol = task:get_symbol('DKIM_SIGNED')
    local made = symbol and symbol[1] and symbol[1].options and #symbol[1].options or 0
    if expected ~= made then
      task:set_pre_result('soft reject', 'This message cannot be signed now, try again later', 'cst')
    end
  end,
})
