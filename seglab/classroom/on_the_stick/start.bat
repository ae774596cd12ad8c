@echo off
rem Sets up the course in this folder, without a network, and opens it in JupyterLab.
cd /d "%~dp0"
@TRIES@set course=python
python -c "import sys; sys.exit(sys.version[:4] not in '@PYTHONS@')" >nul 2>nul
if not errorlevel 1 goto run
echo This needs Python @NAMES@, which was not found.
echo Install it (python.org), or ask your teacher. Then start this again.
goto end
:run
%course% start.py %*
:end
pause
