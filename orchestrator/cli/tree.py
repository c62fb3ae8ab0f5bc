"""Every command there is: where it lives, and its line in the help. Nothing is imported from here but on a call."""

from orchestrator.cli.lazy import Branch, Leaf, Tree

_CLI = "orchestrator.cli"

COMMANDS: Tree = {
    "standalone": Leaf(f"{_CLI}.standalone:standalone", "Run everything in one: DAG files in, runs out."),
    "run": Leaf(f"{_CLI}.running:run", "Run a DAG file as a script."),
    "dags": Branch(
        "DAGs: what there is, what it does, and starting it.",
        {
            "list": Leaf(f"{_CLI}.dags:list_dags", "List the DAGs."),
            "details": Leaf(f"{_CLI}.dags:details", "Show everything about a DAG."),
            "trigger": Leaf(f"{_CLI}.trigger:trigger", "Start a run of a DAG."),
            "test": Leaf(f"{_CLI}.rehearsal:test", "Run a DAG once in this process, without a scheduler."),
            "pause": Leaf(f"{_CLI}.dags:pause", "Stop new scheduled runs of a DAG."),
            "unpause": Leaf(f"{_CLI}.dags:unpause", "Let a DAG's schedule make runs again."),
            "state": Leaf(f"{_CLI}.dags:state", "Show the state of a run, the latest by default."),
            "next-execution": Leaf(f"{_CLI}.upcoming:next_execution", "Show when a DAG is due next."),
            "list-runs": Leaf(f"{_CLI}.dags:list_runs", "List the runs of a DAG, or of all."),
            "list-import-errors": Leaf(f"{_CLI}.files:list_import_errors", "List the DAG files that cannot be read."),
            "versions": Leaf(
                f"{_CLI}.versions:versions", "List the versions of a DAG, what changed, and their open runs."
            ),
            "redeploy-check": Leaf(
                f"{_CLI}.redeploy:redeploy_check", "Say what a changed DAG file means to every open run."
            ),
            "show": Leaf(f"{_CLI}.drawing:show", "Draw a DAG's tasks and what they wait for."),
            "report": Leaf(f"{_CLI}.files:report", "Show how long each DAG file took to read."),
            "delete": Leaf(f"{_CLI}.deletion:delete", "Delete a DAG whose file is gone, with all of its runs."),
        },
    ),
    "tasks": Branch(
        "Tasks of a run: their states, logs and results, and running them again.",
        {
            "list": Leaf(f"{_CLI}.tasks:list_tasks", "List the tasks of a DAG."),
            "test": Leaf(f"{_CLI}.trial:test", "Run one task in this process, and record nothing."),
            "render": Leaf(f"{_CLI}.rendering:render", "Show a task's template fields as a run fills them."),
            "state": Leaf(f"{_CLI}.tasks:state", "Show the state of a task in a run."),
            "states-for-dag-run": Leaf(f"{_CLI}.tasks:states_for_dag_run", "Show the states of all tasks of a run."),
            "logs": Leaf(f"{_CLI}.logs:logs", "Print what a task wrote."),
            "result": Leaf(f"{_CLI}.tasks:result", "Print the recorded result of a task, as JSON."),
            "xcom": Leaf(
                f"{_CLI}.xcom:xcom", "List what a task left for others: what it pushed, by key, and its result."
            ),
            "clear": Leaf(f"{_CLI}.mending:clear", "Forget the outcome of tasks, so that they run again."),
            "resolve": Leaf(f"{_CLI}.mending:resolve", "Say what became of a task whose outcome is unknown."),
            "awaiting": Leaf(f"{_CLI}.answering:awaiting", "List the tasks that wait for a person."),
            "answer": Leaf(f"{_CLI}.answering:answer", "Answer what a task asks."),
        },
    ),
    "runs": Branch(
        "Runs of a DAG: how they stand, what happened in them, and why.",
        {
            "show": Leaf(f"{_CLI}.showing:show", "Show a run and its tasks."),
            "history": Leaf(f"{_CLI}.runs:history", "Show everything that is recorded of a run."),
            "watch": Leaf(f"{_CLI}.watching:watch", "Follow a run until it ends."),
            "why": Leaf(f"{_CLI}.why:why", "Say why a run or task does not run, or why it ended so."),
            "replay": Leaf(f"{_CLI}.replaying:replay", "Hold a recorded run against the DAG as it is now."),
            "diff": Leaf(f"{_CLI}.comparing:diff", "Compare two runs: where they diverge."),
            "export": Leaf(f"{_CLI}.exporting:export", "Write a run into a file."),
            "import": Leaf(f"{_CLI}.exporting:import_", "Take in a run that was exported."),
            "fork": Leaf(f"{_CLI}.forking:fork", "Start a new run that takes over what another had recorded."),
            "reset": Leaf(f"{_CLI}.resetting:reset", "Take a run back in its history, and let it go on from there."),
            "move": Leaf(f"{_CLI}.moving:move", "Let an open run go on with another version."),
            "result": Leaf(f"{_CLI}.results:result", "Print what a workflow returned, as JSON."),
            "logs": Leaf(f"{_CLI}.querying:logs", "Print what a workflow's code, or a DAG's callbacks, wrote."),
            "query": Leaf(f"{_CLI}.querying:query", "Ask a workflow something, without the scheduler."),
            "signal": Leaf(f"{_CLI}.talking:signal", "Send a signal to a workflow."),
            "update": Leaf(f"{_CLI}.talking:update", "Ask a workflow for a change that it answers."),
            "cancel": Leaf(f"{_CLI}.runs:cancel", "End a run: what runs is stopped, nothing new starts."),
            "pause": Leaf(f"{_CLI}.runs:pause", "Start nothing new in a run until it is resumed."),
            "resume": Leaf(f"{_CLI}.runs:resume", "Let a paused run go on."),
        },
    ),
    "pools": Branch(
        "Pools: how many activities of a kind run at once.",
        {
            "list": Leaf(f"{_CLI}.pools:list_pools", "List the pools."),
            "get": Leaf(f"{_CLI}.pools:get", "Show one pool."),
            "set": Leaf(f"{_CLI}.pools:set_pool", "Create a pool, or change its slots."),
            "delete": Leaf(f"{_CLI}.pools:delete", "Delete a pool."),
        },
    ),
    "variables": Branch(
        "Variables: settings that tasks read, kept encrypted.",
        {
            "list": Leaf(f"{_CLI}.variables:list_variables", "List the variables of the database."),
            "get": Leaf(f"{_CLI}.variables:get", "Print the value of a variable, as a task finds it."),
            "set": Leaf(f"{_CLI}.variables:set_variable", "Create a variable, or change its value."),
            "delete": Leaf(f"{_CLI}.variables:delete", "Delete a variable."),
            "import": Leaf(f"{_CLI}.variables:import_", "Set the variables that a file holds."),
            "export": Leaf(
                f"{_CLI}.variables:export",
                "Write every variable of the database into a file, as JSON and decrypted; - is the terminal.",
            ),
        },
    ),
    "connections": Branch(
        "Connections: how tasks reach other systems, and as whom.",
        {
            "list": Leaf(f"{_CLI}.connections:list_connections", "List the connections of the database."),
            "get": Leaf(f"{_CLI}.connections:get", "Show one connection, as a task finds it."),
            "add": Leaf(f"{_CLI}.connections:add", "Add a connection to the database."),
            "delete": Leaf(f"{_CLI}.connections:delete", "Delete a connection."),
            "import": Leaf(f"{_CLI}.connections:import_", "Add the connections that a file holds."),
            "export": Leaf(
                f"{_CLI}.connections:export",
                "Write every connection of the database into a file, decrypted; - is the terminal.",
            ),
        },
    ),
    "users": Branch(
        "Users: who may sign in, and what they may do.",
        {
            "list": Leaf(f"{_CLI}.users:list_users", "List the users, and what they may do."),
            "create": Leaf(f"{_CLI}.users:create", "Create a user."),
            "delete": Leaf(f"{_CLI}.users:delete", "Delete a user, with their tokens and sessions."),
            "passwd": Leaf(f"{_CLI}.users:passwd", "Set a user's password."),
            "grant": Leaf(f"{_CLI}.users:grant", "Grant a role, on all DAGs or on those whose id fits a pattern."),
            "revoke": Leaf(f"{_CLI}.users:revoke", "Take a role away, as it was granted."),
            "enable": Leaf(f"{_CLI}.users:enable", "Let a user come in again."),
            "disable": Leaf(
                f"{_CLI}.users:disable", "Keep a user out: their sessions end, and their tokens let nobody in."
            ),
            "sign-out": Leaf(f"{_CLI}.users:sign_out", "End all sessions of a user."),
        },
    ),
    "tokens": Branch(
        "Tokens, by which programs are let in as a user.",
        {
            "list": Leaf(f"{_CLI}.tokens:list_tokens", "List tokens, without what they open."),
            "create": Leaf(f"{_CLI}.tokens:create", "Make a token, by which a program is let in as a user."),
            "revoke": Leaf(f"{_CLI}.tokens:revoke", "Revoke a token; servers heed that within five seconds."),
        },
    ),
    "audit": Branch(
        "The audit log: who did what.",
        {
            "list": Leaf(f"{_CLI}.audit:list_audit", "List who did what, the newest first."),
            "verify": Leaf(
                f"{_CLI}.audit:verify_audit",
                "Check that no line of the log was changed, taken out, moved or added past the program.",
            ),
        },
    ),
    "venvs": Branch(
        "Environments that tasks have had built for them.",
        {
            "list": Leaf(f"{_CLI}.venvs:list_venvs", "List the environments that tasks have had built."),
            "clean": Leaf(f"{_CLI}.venvs:clean", "Remove environments; a task that needs one has it built again."),
        },
    ),
    "plugins": Branch(
        "Plugins: what they bring, and which do not work.",
        {"list": Leaf(f"{_CLI}.plugins:list_plugins", "List the plugins, and why one is not used.")},
    ),
    "db": Branch(
        "The database: its schema, its size and its shell.",
        {
            "migrate": Leaf(f"{_CLI}.migration:migrate", "Create the database, or bring its schema up to date."),
            "check": Leaf(f"{_CLI}.db:check", "Check that the database can be read and is up to date."),
            "clean": Leaf(
                f"{_CLI}.db:clean", "Delete runs that ended long ago, and what the audit log says of the time before."
            ),
            "rebuild": Leaf(f"{_CLI}.db:rebuild", "Write the tables about runs anew from the history."),
            "shell": Leaf(f"{_CLI}.db:shell", "Open the database's own shell."),
        },
    ),
    "config": Branch(
        "Settings: what there is, what each is set to, and by whom.",
        {
            "list": Leaf(f"{_CLI}.settings:list_settings", "List every setting and its value."),
            "get-value": Leaf(f"{_CLI}.settings:get_value", "Print the value of a setting."),
            "explain": Leaf(f"{_CLI}.settings:explain", "Show a setting's value, meaning and where it was set."),
        },
    ),
    "compat": Branch(
        "Files written for Airflow.",
        {"check": Leaf(f"{_CLI}.compat:check", "Say whether DAG files that were written for Airflow run here.")},
    ),
    "scheduler": Leaf(f"{_CLI}.scheduler:scheduler", "Run the scheduler and its workers."),
    "api-server": Leaf(f"{_CLI}.api_server:api_server", "Serve the pages and the REST API."),
    "dag-processor": Leaf(f"{_CLI}.dag_processor:dag_processor", "Run the process that reads the DAG files."),
    "listener": Leaf(f"{_CLI}.listener:listener", "Run the process in which a plugin hears of what happens."),
    "rotate-fernet-key": Leaf(
        f"{_CLI}.rotation:rotate_fernet_key",
        "Encrypt every variable and connection anew, with the first key of [core] fernet_key.",
    ),
    "login": Leaf(f"{_CLI}.login:login", "Keep a server's URL and a token, so that commands work with it from afar."),
    "logout": Leaf(f"{_CLI}.login:logout", "Forget a server and the token that lets you in."),
    "logins": Leaf(f"{_CLI}.login:logins", "List the servers that you have logged in to."),
    "version": Leaf(f"{_CLI}.version:version", "Print the version."),
    "completion": Leaf(f"{_CLI}.completion:completion", "Print the script that completes commands in your shell."),
}
