"""The quarantine: a fence around blue code, which refuses or reports side effects and names the author's line.

A process says ``installing.install()`` once, before it loads any author's code. That code then runs inside a
``fence.Fence``, which keeps what it has refused, also where the author's code has caught the error:

    with fence:                      # Fence(roots, Scene.WORKFLOW, mode): entered for each activation
        machine.deliver(facts)
    if fence.refused:                # Violation: .message, .where, .frames
        block(fence.refused[0])

It is a help for authors, and no security boundary.
"""
