#!/usr/bin/env bash
# A Slurm of one node, on a machine that has none:
#
#   slurm.sh up <folder> [accounting]    start it; with an accounting database, too
#   slurm.sh down <folder>               stop it
#   slurm.sh node <folder>               start the node's daemon again, after it was killed
#
# Its files are in <folder>, and links to them in /etc/slurm: jobs do not pass SLURM_CONF on. Debian's packages that it
# needs: slurm-wlm munge; with accounting: slurmdbd mariadb-server-core mariadb-client-core. Run it as root.
set -euo pipefail

command=${1:?up, down or node} folder=$(realpath -m "${2:?a folder}") accounting=${3:-}
host=$(hostname -s)
memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)

configure() {
    for file in slurm.conf gres.conf cgroup.conf; do
        if [ -e "/etc/slurm/$file" ]; then
            echo "error: /etc/slurm/$file is there, so this machine has a Slurm; take it away first" >&2
            exit 1
        fi
        mkdir -p /etc/slurm && ln -sf "$folder/$file" "/etc/slurm/$file"
    done
    mkdir -p "$folder"/{state,spool,munge,database}
    cat >"$folder/slurm.conf" <<CONF
ClusterName=torture
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=7817
SlurmdPort=7818
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
# What each job asked for and how it ended.
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.txt
# Soon enough for a test: a node that does not answer is down, and back as soon as it answers.
SlurmdTimeout=10
ReturnToService=2
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:1
PartitionName=all Nodes=ALL Default=YES MaxTime=1-0 State=UP
CONF
    echo "Name=gpu File=/dev/null" >"$folder/gres.conf" # asked for and given, though nothing computes on it
    echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf"
    if [ -n "$accounting" ]; then
        cat >>"$folder/slurm.conf" <<CONF
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageTRES=gres/gpu
AccountingStorageHost=127.0.0.1
AccountingStoragePort=7819
AccountingStoragePass=$folder/munge/socket
CONF
        cat >"$folder/slurmdbd.conf" <<CONF
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=7819
SlurmUser=root
AuthInfo=socket=$folder/munge/socket
LogFile=$folder/slurmdbd.log
PidFile=$folder/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StoragePort=7820
StorageUser=root
StorageLoc=slurm
CONF
        chmod 600 "$folder/slurmdbd.conf"
    fi
}

wait_for() {
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.3
    done
    echo "error: $* does not succeed; the logs are in $folder" >&2
    exit 1
}

start_munge() {
    [ -s "$folder/munge/key" ] || (umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
    munged --force --socket "$folder/munge/socket" --key-file "$folder/munge/key" --pid-file "$folder/munged.pid" \
        --log-file "$folder/munge/log" --seed-file "$folder/munge/seed"
}

start_accounting() {
    mariadb-install-db --no-defaults --user=root --datadir="$folder/database" --auth-root-authentication-method=normal \
        >"$folder/database.log" 2>&1
    mariadbd --no-defaults --user=root --datadir="$folder/database" --socket="$folder/database/socket" --port=7820 \
        --bind-address=127.0.0.1 --pid-file="$folder/mariadbd.pid" >>"$folder/database.log" 2>&1 &
    wait_for test -S "$folder/database/socket"
    SLURM_CONF=$folder/slurmdbd.conf MYSQL_UNIX_PORT=$folder/database/socket slurmdbd
    wait_for sh -c "sacctmgr --immediate add cluster torture; sacctmgr --noheader show cluster | grep torture"
}

case $command in
up)
    configure
    start_munge
    [ -z "$accounting" ] || start_accounting
    slurmctld -c
    slurmd
    wait_for sinfo --noheader --responding --states=idle --nodes="$host"
    wait_for sh -c "sinfo --noheader --states=idle | grep -q $host"
    ;;
node)
    slurmd
    ;;
down)
    for daemon in slurmd slurmctld slurmdbd mariadbd munged; do
        if [ -s "$folder/$daemon.pid" ]; then
            kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
        fi
    done
    find /etc/slurm -lname "$folder/*" -delete
    ;;
*)
    echo "error: $command is none of up, down, node" >&2
    exit 1
    ;;
esac
