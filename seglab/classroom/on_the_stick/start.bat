@echo off
rem Sets up the course in this folder, without a network, and opens it in JupyterLab.
cd /d "%~dp0"
for %%v in (@PYTHONS@) do (
    set "course=py -%%v"
    py -%%v -c "" >nul 2>nul && goto run
)
set course=python
python -c "import sys; sys.exit('%%d.%%d' %% sys.version_info[:2] not in '@PYTHONS@'.split())" >nul 2>nul && goto run
echo This needs one of these versions of Python: @PYTHONS@. None was found.
echo Install one (python.org), or ask your teacher. Then start this again.
goto end
:run
%course% start.py %*
:end
pause
