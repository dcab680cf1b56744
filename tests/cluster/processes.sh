# shellcheck shell=bash
# Servers that outlive the calling shell, and ending exactly those; sourced. Uses DIR, where NAME.pid and NAME.log lie.
#
# A pid file holds «PID STARTTIME» (field 22 of /proc/PID/stat), so a number that the kernel has given to another
# process since is never taken for ours.

# start_time PID: clock ticks since boot; fails when there is no such process or it is a zombie.
start_time() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# launch NAME COMMAND…: starts a server in a session of its own.
launch() {
  local name=$1 pid
  shift
  setsid "$@" >>"$DIR/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(start_time "$pid" || true)" >"$DIR/$name.pid"
}

# ensure NAME COMMAND…: starts a server that does not run, and anew one that runs with another command.
ensure() {
  local name=$1
  shift
  if running "$name"; then
    [[ $(cat "$DIR/$name.command" 2>/dev/null) != "$*" ]] || return 0
    stop "$name"
  fi
  launch "$name" "$@"
  echo "$*" >"$DIR/$name.command"
}

# running NAME: whether the process of the pid file lives.
running() {
  local pid started
  [[ -f $DIR/$1.pid ]] && read -r pid started <"$DIR/$1.pid" && [[ -n $started && $(start_time "$pid") == "$started" ]]
}

# stop NAME [SECONDS]: ends it with TERM, and with KILL when it still lives after SECONDS (10).
stop() {
  local name=$1 pid tries
  if running "$name"; then
    read -r pid _ <"$DIR/$name.pid"
    kill -TERM "$pid" 2>/dev/null || true
    for ((tries = ${2:-10} * 20; tries > 0; tries--)); do
      running "$name" || break
      sleep 0.05
    done
    ! running "$name" || kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$DIR/$name.pid"
}

# await SECONDS WHAT COMMAND…: until the command succeeds; else says what did not happen.
await() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" &>/dev/null; do
    ((SECONDS < until)) || { note "gave up waiting for $what"; return 1; }
    sleep 0.1
  done
}
